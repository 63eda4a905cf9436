/*
 * test_model.c: the model codec: the frozen numbers of the format, the golden
 * files, round trips, every rule, and damage of every kind.
 *
 * Golden files are found from the directory of the repository, in which the
 * tests are run.
 */
#include <math.h>
#include <stdlib.h>

#include "unit.h"

#include "../../src/core/crc32c.h"
#include "../../src/core/digest.h"
#include "../fuzz/check_model.h"
#include "../golden/sample_models.h"

static uint8_t buffer[65536];

static size_t
write_sample(const Sample *sample)
{
	size_t		size = 0;

	CHECK(grove_model_write_size(&sample->model, &size) == GROVE_OK);
	CHECK(size <= sizeof(buffer));
	CHECK(grove_model_write(&sample->model, buffer, size) == GROVE_OK);
	CHECK(grove_model_write(&sample->model, buffer, size - 1) == GROVE_ERR_BUFFER);
	CHECK(grove_model_write(&sample->model, buffer, sizeof(buffer)) == GROVE_OK);
	return size;
}

static void
test_checksum(void)
{
	static const uint8_t zeros[32];
	GroveCrc32c tables;
	const uint8_t *digits = (const uint8_t *) "123456789";
	uint32_t	crc;

	grove_crc32c_init(&tables);
	CHECK(grove_crc32c_update(&tables, 0, digits, 9) == 0xe3069283u);
	CHECK(grove_crc32c_update(&tables, 0, zeros, 32) == 0x8a9136aau);	/* RFC 3720, B.4 */
	for (size_t cut = 0; cut <= 9; cut++)
	{
		crc = grove_crc32c_update(&tables, 0, digits, cut);
		CHECK(grove_crc32c_update(&tables, crc, digits + cut, 9 - cut) == 0xe3069283u);
	}
}

/* The digest by the words of the document, sharing nothing with the library. */
static void
document_digest(const uint8_t *bytes, size_t n, uint64_t result[2])
{
	uint64_t	words[2] = {n + 1, ~(uint64_t) n};

#define MIX(x) \
	x ^= x >> 30, x *= 0xBF58476D1CE4E5B9u, x ^= x >> 27, x *= 0x94D049BB133111EBu, x ^= x >> 31
	MIX(words[0]);
	MIX(words[1]);
	for (size_t at = 0; at < n; at += 16)
	{
		uint64_t	block[2] = {0, 0};
		uint64_t	a;
		uint64_t	b;

		for (size_t i = 0; i < 16 && at + i < n; i++)
			block[i / 8] |= (uint64_t) bytes[at + i] << 8 * (i % 8);
		a = (words[0] ^ block[0]) * 0x9FB21C651E98DF25u;
		a ^= a >> 32;
		b = (words[1] ^ block[1]) * 0xD6E8FEB86659FD93u;
		b ^= b >> 29;
		words[0] = a + b;
		words[1] = b + (words[0] << 23 | words[0] >> 41);
	}
	MIX(words[0]);
	words[1] += words[0];
	MIX(words[1]);
	result[0] = words[0] + words[1];
	result[1] = words[1];
}

static void
test_digest(void)
{
	static const uint8_t empty[GROVE_DIGEST_BYTES] = {
		0x1c, 0x2d, 0xc5, 0x78, 0x1f, 0xec, 0xc2, 0x29, 0x9f, 0xf2, 0x8e, 0x69, 0x16, 0xde, 0x0e, 0xaf
	};
	uint8_t		input[100];
	uint8_t		seen[101][GROVE_DIGEST_BYTES];
	GroveDigest digest;

	for (int i = 0; i < 100; i++)
		input[i] = 0;
	for (size_t n = 0; n <= 100; n++)	/* zeros of every length: the length counts */
	{
		uint64_t	expected[2];

		document_digest(input, n, expected);
		grove_digest_init(&digest, n);
		grove_digest_update(&digest, input, n / 32 * 16);
		grove_digest_update(&digest, input + n / 32 * 16, n - n / 32 * 16);
		grove_digest_final(&digest, seen[n]);
		CHECK(grove_bytes_get64(seen[n]) == expected[0] && grove_bytes_get64(seen[n] + 8) == expected[1]);
		for (size_t before = 0; before < n; before++)
			CHECK(memcmp(seen[before], seen[n], GROVE_DIGEST_BYTES) != 0);
	}
	CHECK(memcmp(seen[0], empty, GROVE_DIGEST_BYTES) == 0);
}

/* Any change of one bit flips about half of the digest's bits. */
static void
test_avalanche(void)
{
	uint8_t		input[64];
	uint8_t		before[GROVE_DIGEST_BYTES];
	uint8_t		after[GROVE_DIGEST_BYTES];
	GroveDigest digest;
	long		flipped = 0;

	for (int i = 0; i < 64; i++)
		input[i] = (uint8_t) (i * 37);
	grove_digest_init(&digest, 64);
	grove_digest_update(&digest, input, 64);
	grove_digest_final(&digest, before);
	for (int bit = 0; bit < 512; bit++)
	{
		int			here = 0;

		input[bit / 8] ^= (uint8_t) (1 << bit % 8);
		grove_digest_init(&digest, 64);
		grove_digest_update(&digest, input, 64);
		grove_digest_final(&digest, after);
		input[bit / 8] ^= (uint8_t) (1 << bit % 8);
		for (int i = 0; i < 128; i++)
			here += (before[i / 8] ^ after[i / 8]) >> i % 8 & 1;
		CHECK(here > 30 && here < 98);	/* six standard deviations of a fair coin */
		flipped += here;
	}
	CHECK(labs(flipped - 512 * 64) < 1000);
}

static size_t
load_file(const char *name, const char *ending, uint8_t *bytes, size_t size)
{
	char		path[256];
	FILE	   *file;
	size_t		length;

	snprintf(path, sizeof(path), "test/golden/model_v1_%s.%s", name, ending);
	file = fopen(path, "rb");
	CHECK(file != NULL);
	if (!file)
		return 0;
	length = fread(bytes, 1, size, file);
	fclose(file);
	return length;
}

/* Golden files still read, are what the writer makes of the sample, and predict what they did. */
static void
test_golden(const Sample *sample)
{
	static uint8_t bytes[65536];
	static char lines[65536];
	size_t		length = load_file(sample->name, "bin", bytes, sizeof(bytes));
	size_t		text = load_file(sample->name, "txt", (uint8_t *) lines, sizeof(lines) - 1);
	size_t		size = 0;
	size_t		offset;
	const char *rule;
	GroveModel *model = NULL;
	void	   *memory;
	char	   *at = lines;
	int			rows = 0;

	CHECK(write_sample(sample) == length && memcmp(buffer, bytes, length) == 0);
	lines[text] = 0;
	CHECK(grove_model_read_size(bytes, length, &size, &rule, &offset) == GROVE_OK);
	memory = malloc(size);
	CHECK(grove_model_read(bytes, length, memory, size - 1, &model, &rule, &offset) == GROVE_ERR_BUFFER);
	CHECK(grove_model_read(bytes, length, memory, size, &model, &rule, &offset) == GROVE_OK);
	while (model && *at)
	{
		double		row[SAMPLE_FEATURES];
		double		margins[4];

		for (uint32_t i = 0; i < model->n_features; i++)
			row[i] = strtod(at, &at);
		at = strchr(at, '>') + 1;
		grove_predict_margins(model, row, margins);
		for (uint32_t i = 0; i < model->n_outputs; i++)
			CHECK(check_same_bits(strtod(at, &at), margins[i]));
		at += strspn(at, "\n");
		rows++;
	}
	CHECK(rows == 64);
	free(memory);
}

static void
test_round_trip(const Sample *sample)
{
	size_t		length = write_sample(sample);
	const char *why;

	CHECK(check_bytes(buffer, length, &why) == CHECK_SAME);
	CHECK(check_sealed(buffer, length, &why) == CHECK_SAME);
}

/* The value to try as number i of a byte: all 256, or single bits and the ends of its range. */
static int
damage_value(uint8_t original, bool thorough, int i)
{
	if (thorough)
		return i < 256 ? i : -1;
	if (i < 8)
		return original ^ 1 << i;
	return i == 8 ? 0 : i == 9 ? 255 : -1;
}

/*
 * Every length, every byte changed (thorough: to every value): refused, or
 * again a model that encodes to itself.
 */
static void
test_damage(const Sample *sample, bool thorough)
{
	size_t		length = write_sample(sample);
	uint8_t    *bytes = malloc(length);
	const char *why;
	long		accepted = 0;
	long		wrong = 0;

	for (size_t cut = 0; cut < length; cut++)
	{
		uint8_t    *shorter = malloc(cut + (cut == 0));	/* exact size: a read behind the end is seen */

		memcpy(shorter, buffer, cut);
		CHECK(check_bytes(shorter, cut, &why) == CHECK_REFUSED);
		CHECK(check_sealed(shorter, cut, &why) == CHECK_REFUSED);
		free(shorter);
	}
	for (size_t at = 0; at < length; at++)
	{
		memcpy(bytes, buffer, length);
		bytes[at] ^= 1;
		CHECK(check_bytes(bytes, length, &why) == CHECK_REFUSED);
		for (int i = 0; damage_value(buffer[at], thorough, i) >= 0; i++)
		{
			int			value = damage_value(buffer[at], thorough, i);
			CheckResult result;

			memcpy(bytes, buffer, length);
			bytes[at] = (uint8_t) value;
			result = check_sealed(bytes, length, &why);
			accepted += result == CHECK_SAME;
			wrong += result == CHECK_WRONG;
			if (result == CHECK_WRONG)
				printf("%s: byte %zu set to %d: %s\n", sample->name, at, value, why);
		}
	}
	CHECK(wrong == 0);
	CHECK(accepted > 8 * 8);	/* the rows' count alone can be anything */
	free(bytes);
}

/* Two bytes at once, and pieces cut out or doubled: what single bytes cannot reach. */
static void
test_mutations(const Sample *sample)
{
	size_t		length = write_sample(sample);
	uint8_t    *bytes = malloc(2 * length);
	uint64_t	state = 42;
	long		wrong = 0;

	for (int round = 0; round < 10000; round++)
	{
		size_t		now = length;
		const char *why;

		memcpy(bytes, buffer, length);
		for (int change = 0; change < 1 + round % 4; change++)
		{
			size_t		at;

			state = state * 6364136223846793005u + 1442695040888963407u;
			at = 8 + (state >> 33) % (now - 8);
			bytes[at] = (uint8_t) (round % 2 ? state >> 25 : (state >> 25) % 4);
		}
		if (round % 5 == 0)		/* cut a piece out */
		{
			size_t		from = 64 + (state >> 40) % (now - 68);
			size_t		piece = 1 + (state >> 20) % 16;

			if (from + piece < now)
			{
				memmove(bytes + from, bytes + from + piece, now - from - piece);
				now -= piece;
			}
		}
		wrong += check_sealed(bytes, now, &why) == CHECK_WRONG;
	}
	CHECK(wrong == 0);
	free(bytes);
}

static Sample broken_sample;

/* Encodes the changed sample and expects the reader to refuse it by this rule. */
static void
expect_rule(const char *rule_expected)
{
	size_t		length = write_sample(&broken_sample);
	size_t		size = 0;
	size_t		offset = 0;
	const char *rule;
	GroveModel *model = NULL;
	GroveStatus status = grove_model_read_size(buffer, length, &size, &rule, &offset);

	if (status == GROVE_OK)
	{
		void	   *memory = malloc(size);

		status = grove_model_read(buffer, length, memory, size, &model, &rule, &offset);
		free(memory);
	}
	CHECK(status == GROVE_ERR_STRUCTURE);
	CHECK(rule && strcmp(rule, rule_expected) == 0);
	if (rule && strcmp(rule, rule_expected) != 0)
		printf("expected \"%s\", found \"%s\"\n", rule_expected, rule);
	CHECK(offset > 0 && offset <= length);
}

/* A rule each: start from a sample, break one thing. */
static void
test_rules(void)
{
	GroveNode  *nodes = broken_sample.nodes;
	GroveText	twice[2] = {sample_text("x"), sample_text("x")};
	GroveText	zero = {"a\0b", 3};

#define BREAK(number, change, rule) \
	do { sample_make(&broken_sample, number); change; expect_rule(rule); } while (0)

	BREAK(0, broken_sample.model.task = 4, "The task is unknown");
	BREAK(0, broken_sample.model.algorithm = 3, "The algorithm is unknown");
	BREAK(0, broken_sample.model.link = 6, "The link does not fit the task");
	BREAK(0, broken_sample.model.link = GROVE_LINK_LOGISTIC, "The link does not fit the task");
	BREAK(1, broken_sample.model.link = GROVE_LINK_EXP, "The link does not fit the task");
	BREAK(0, broken_sample.model.n_classes = 1, "The number of classes does not fit the task");
	BREAK(1, broken_sample.model.n_classes = 1, "The number of classes does not fit the task");
	BREAK(2, broken_sample.model.n_classes = broken_sample.model.n_outputs = 1,
		  "The number of classes does not fit the task");
	BREAK(0, broken_sample.model.target = zero, "A text contains a zero byte");
	BREAK(0, broken_sample.features[1].kind = 2, "The kind of a feature is unknown");
	BREAK(3, broken_sample.features[0].kind = GROVE_FEATURE_NUMERIC, "A numeric feature has levels");
	BREAK(3, broken_sample.features[1].levels = twice, "A feature has two equal levels");
	BREAK(0, broken_sample.features[3].name = sample_text("price"), "Two features have the same name");
	BREAK(2, broken_sample.classes[2] = sample_text("low"), "Two classes have the same label");
	BREAK(0, broken_sample.base[0] = INFINITY, "A base margin is not finite");
	BREAK(0, nodes[0].cover = -1, "The cover of a node is not a number from 0 on");
	BREAK(0, nodes[2].cover = NAN, "The cover of a node is not a number from 0 on");
	BREAK(0, nodes[0].gain = -1, "The gain of a split is not a number from 0 on");
	BREAK(0, nodes[0].gain = INFINITY, "The gain of a split is not a number from 0 on");
	BREAK(0, nodes[2].value = NAN, "The value of a leaf is not finite");
	BREAK(0, nodes[0].value = NAN, "The threshold of a split is not finite");
	BREAK(0, nodes[1].left = 1, "The children of a split are not behind it in its tree");
	BREAK(0, nodes[1].left = 4, "The children of a split are not behind it in its tree");
	BREAK(0, nodes[1].left = UINT32_MAX, "The children of a split are not behind it in its tree");
	BREAK(0, nodes[1].left = 2, "A node is the child of two splits");
	BREAK(0, nodes[0].left = 2, "A node is nobody's child");
	BREAK(3, nodes[3].feature = 4, "The kind of a split is not that of its feature");
	BREAK(0, nodes[0].flags = GROVE_NODE_CATEGORICAL; broken_sample.model.n_sets = 1,
		  "The kind of a split is not that of its feature");
	BREAK(3, broken_sample.sets[0][0] |= 1, "A set contains an ordinal that is no level");
	BREAK(3, broken_sample.sets[0][0] |= 1 << 4, "A set contains an ordinal that is no level");
	BREAK(6, broken_sample.sets[0][0] |= 1, "A set contains an ordinal that is no level");
	BREAK(6, broken_sample.sets[1][31] = 0x80; broken_sample.set_first[1] = 46, "A set contains an ordinal that is no level");
	BREAK(6, broken_sample.sets[3][0] |= 1 << 2, "A set contains an ordinal that is no level");
}

/* Later versions and unknown flags are refused as such, whatever follows. */
static void
test_versions(const Sample *sample)
{
	size_t		length = write_sample(sample);
	size_t		size;
	size_t		offset;
	const char *rule;
	uint8_t		digest[GROVE_DIGEST_BYTES];
	uint64_t	total;

	CHECK(grove_model_peek(buffer, 64, &total, digest) == GROVE_OK && total == length);
	CHECK(grove_model_peek(buffer, 63, &total, digest) == GROVE_ERR_STRUCTURE);
	CHECK(grove_model_peek(buffer, 7, &total, digest) == GROVE_ERR_MAGIC);
	buffer[8] = 2;
	CHECK(grove_model_peek(buffer, 64, &total, digest) == GROVE_ERR_VERSION);
	CHECK(grove_model_read_size(buffer, length, &size, &rule, &offset) == GROVE_ERR_VERSION);
	buffer[8] = 0;
	grove_model_seal(buffer, length);
	CHECK(grove_model_read_size(buffer, length, &size, &rule, &offset) == GROVE_ERR_STRUCTURE);
	buffer[8] = 1;
	buffer[10] = 1;
	CHECK(grove_model_read_size(buffer, length, &size, &rule, &offset) == GROVE_ERR_VERSION);
	buffer[10] = 0;
	buffer[100] ^= 1;
	CHECK(grove_model_read_size(buffer, length, &size, &rule, &offset) == GROVE_ERR_CHECKSUM);
	buffer[0] ^= 1;
	CHECK(grove_model_read_size(buffer, length, &size, &rule, &offset) == GROVE_ERR_MAGIC);
}

/* Counts that contradict each other never become bytes. */
static void
test_writer(void)
{
	size_t		size;

#define REFUSE(number, change) \
	do { \
		sample_make(&broken_sample, number); \
		change; \
		CHECK(grove_model_write_size(&broken_sample.model, &size) == GROVE_ERR_STRUCTURE); \
		CHECK(grove_model_write(&broken_sample.model, buffer, sizeof(buffer)) == GROVE_ERR_STRUCTURE); \
	} while (0)

	REFUSE(0, broken_sample.model.n_features = 0);
	REFUSE(0, broken_sample.model.n_features = GROVE_MAX_FEATURES + 1);
	REFUSE(0, broken_sample.model.n_outputs = 2);
	REFUSE(2, broken_sample.model.n_outputs = 1);
	REFUSE(0, broken_sample.model.n_nodes--);
	REFUSE(0, broken_sample.tree_start[1] = 0);
	REFUSE(0, broken_sample.nodes[0].feature = 4);
	REFUSE(3, broken_sample.nodes[0].set = 100);
	REFUSE(3, broken_sample.set_first[0] = 1);
	REFUSE(6, broken_sample.set_first[3] = 300);
	REFUSE(3, broken_sample.features[0].n_levels = GROVE_MAX_LEVELS + 1);
}

int
main(void)
{
	static Sample sample;

	test_checksum();
	test_digest();
	test_avalanche();
	test_writer();
	test_rules();
	for (int number = 0; number < SAMPLES; number++)
	{
		sample_make(&sample, number);
		test_golden(&sample);
		test_round_trip(&sample);
		test_versions(&sample);
		test_damage(&sample, number == 3);
		test_mutations(&sample);
	}
	return unit_done();
}
