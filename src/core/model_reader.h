/*
 * model_reader.h: the cursor over untrusted bytes that the parts of the
 * reader share, and the arrays that they fill.
 */
#ifndef GROVE_MODEL_READER_H
#define GROVE_MODEL_READER_H

#include "bytes.h"
#include "model.h"
#include "model_format.h"

#define GROVE_MODEL_TREE_NODES	(2 * GROVE_MAX_LEAVES - 1)

typedef struct GroveReader
{
	const uint8_t *bytes;
	size_t		at;
	size_t		end;			/* where the trailer begins */
	const char *rule;			/* broken one, or NULL */
	size_t		rule_at;
} GroveReader;

/* What is carved out of the caller's memory. */
typedef struct GroveReaderParts
{
	GroveModel *model;
	GroveFeature *features;
	GroveText  *levels;			/* of all features */
	uint16_t   *lookups;		/* of all features */
	GroveText  *classes;
	double	   *base;
	uint32_t   *tree_start;
	GroveNode  *nodes;
	uint8_t		(*sets)[GROVE_BINS / 8];
	uint32_t   *set_first;
	const GroveText **order;	/* scratch for the search for equal texts */
	uint8_t    *reached;		/* scratch: nodes of the tree at hand that are somebody's child */
	uint8_t    *compact;
} GroveReaderParts;

/* Notes the first broken rule; returns false. */
static inline bool
reader_broken(GroveReader *reader, const char *rule, size_t at)
{
	if (!reader->rule)
	{
		reader->rule = rule;
		reader->rule_at = at;
	}
	return false;
}

/* The next length bytes, or NULL when there are not so many. */
static inline const uint8_t *
reader_take(GroveReader *reader, size_t length)
{
	const uint8_t *place = reader->bytes + reader->at;

	if (length > reader->end - reader->at)
	{
		reader_broken(reader, "The value ends too early", reader->at);
		return NULL;
	}
	reader->at += length;
	return place;
}

static inline bool
reader_text(GroveReader *reader, GroveText *text)
{
	const uint8_t *place = reader_take(reader, 4);

	if (!place)
		return false;
	text->length = grove_bytes_get32(place);
	place = reader_take(reader, text->length);
	if (!place)
		return false;
	text->data = (const char *) place;
	if (text->length > 0 && memchr(place, 0, text->length))
		return reader_broken(reader, "A text contains a zero byte", reader->at - text->length);
	return true;
}

/* Reads the sizes and the nodes of the trees, and checks the rules about them. */
extern bool grove_model_read_trees(GroveReader *reader, GroveModel *model, GroveReaderParts *parts);

#endif							/* GROVE_MODEL_READER_H */
