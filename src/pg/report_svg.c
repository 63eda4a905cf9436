/*
 * report_svg.c: see report_svg.h.
 *
 * Numbers are written with a fixed number of digits, so that the same data
 * give the same bytes.  What is not finite is left out.
 */
#include "pg_grove.h"

#include <math.h>

#include "report_svg.h"

#define WIDTH		420
#define HEIGHT		300
#define LEFT		56
#define RIGHT		18
#define TOP			12
#define BOTTOM		44
#define TICKS		5
#define MAX_POINTS	400			/* of a line */

void
grovepg_svg_text(StringInfo out, const char *text)
{
	for (; *text != '\0'; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c == '<')
			appendStringInfoString(out, "&lt;");
		else if (c == '>')
			appendStringInfoString(out, "&gt;");
		else if (c == '&')
			appendStringInfoString(out, "&amp;");
		else if (c == '"')
			appendStringInfoString(out, "&quot;");
		else if (c == '\'')
			appendStringInfoString(out, "&#39;");
		else if (c < 32 && c != '\t' && c != '\n' && c != '\r')
			appendStringInfoChar(out, '?');
		else
			appendStringInfoChar(out, (char) c);
	}
}

static double
map(double value, const double range[2], double low, double high)
{
	return low + (value - range[0]) / (range[1] - range[0]) * (high - low);
}

static double
map_x(const GrovePlot *plot, double x)
{
	return map(x, plot->x, LEFT, WIDTH - RIGHT);
}

static double
map_y(const GrovePlot *plot, double y)
{
	return map(y, plot->y, HEIGHT - BOTTOM, TOP);
}

static void
set_range(double range[2], double low, double high)
{
	if (!(isfinite(low) && isfinite(high)) || low > high)
		low = high = 0;
	if (high == low)
		high = low + (low == 0 ? 1 : fabs(low) * 0.1);
	range[0] = low;
	range[1] = high;
}

void
grovepg_svg_begin(GrovePlot *plot, StringInfo out, const char *title, const char *x_label, const char *y_label,
				  double x_low, double x_high, double y_low, double y_high)
{
	plot->out = out;
	set_range(plot->x, x_low, x_high);
	set_range(plot->y, y_low, y_high);
	appendStringInfo(out, "<figure><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\"><title>", WIDTH, HEIGHT);
	grovepg_svg_text(out, title);
	appendStringInfo(out, "</title>\n<rect class=\"frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
					 LEFT, TOP, WIDTH - RIGHT - LEFT, HEIGHT - BOTTOM - TOP);
	for (int i = 0; i < TICKS; i++)
	{
		double		x = plot->x[0] + (plot->x[1] - plot->x[0]) * i / (TICKS - 1);
		double		y = plot->y[0] + (plot->y[1] - plot->y[0]) * i / (TICKS - 1);

		appendStringInfo(out, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.3g</text>", map_x(plot, x), HEIGHT - BOTTOM + 15, x);
		appendStringInfo(out, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>\n", LEFT - 5, map_y(plot, y) + 4, y);
	}
	appendStringInfo(out, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8);
	grovepg_svg_text(out, x_label);
	appendStringInfo(out, "</text><text class=\"label\" transform=\"translate(12 %d) rotate(-90)\" text-anchor=\"middle\">", (TOP + HEIGHT - BOTTOM) / 2);
	grovepg_svg_text(out, y_label);
	appendStringInfoString(out, "</text>\n");
}

void
grovepg_svg_line(GrovePlot *plot, const char *class, int n, const double *x, const double *y)
{
	int			step = n / MAX_POINTS + 1;

	appendStringInfo(plot->out, "<polyline class=\"%s\" points=\"", class);
	for (int i = 0; i < n; i++)
	{
		if ((i % step != 0 && i != n - 1) || !isfinite(x[i]) || !isfinite(y[i]))
			continue;
		appendStringInfo(plot->out, "%.1f,%.1f ", map_x(plot, x[i]), map_y(plot, y[i]));
	}
	appendStringInfoString(plot->out, "\"/>\n");
}

void
grovepg_svg_point(GrovePlot *plot, double x, double y, double low, double high)
{
	if (!isfinite(x) || !isfinite(y))
		return;
	if (isfinite(low) && isfinite(high))
		appendStringInfo(plot->out, "<line class=\"interval\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>",
						 map_x(plot, x), map_x(plot, x), map_y(plot, low), map_y(plot, high));
	appendStringInfo(plot->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", map_x(plot, x), map_y(plot, y));
}

void
grovepg_svg_end(GrovePlot *plot)
{
	appendStringInfoString(plot->out, "</svg></figure>\n");
}
