/*
 * report_svg.h: small plots as inline SVG, for grove.report.
 */
#ifndef GROVE_REPORT_SVG_H
#define GROVE_REPORT_SVG_H

#include "lib/stringinfo.h"

/* A plot that is being written; coordinates of the data are mapped into the frame. */
typedef struct GrovePlot
{
	StringInfo	out;
	double		x[2];			/* range of the data */
	double		y[2];
} GrovePlot;

/* Text with the characters of markup escaped, and those that XML does not know replaced. */
extern void grovepg_svg_text(StringInfo out, const char *text);

/* Opens the figure and draws frame and labels; a range without extent is widened. */
extern void grovepg_svg_begin(GrovePlot *plot, StringInfo out, const char *title, const char *x_label, const char *y_label,
							  double x_low, double x_high, double y_low, double y_high);

/* A line through n points, thinned out to what can be seen; class is one of the style sheet. */
extern void grovepg_svg_line(GrovePlot *plot, const char *class, int n, const double *x, const double *y);

/* A point with a vertical interval. */
extern void grovepg_svg_point(GrovePlot *plot, double x, double y, double low, double high);

extern void grovepg_svg_end(GrovePlot *plot);

#endif							/* GROVE_REPORT_SVG_H */
