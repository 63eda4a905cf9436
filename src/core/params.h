/*
 * params.h: the training options, generated from params.def.
 */
#ifndef GROVE_PARAMS_H
#define GROVE_PARAMS_H

#include "grove_core.h"

#define GROVE_AUTO	(-999)		/* default that depends on the algorithm or on the data, see params.def */

enum
{
	GROVE_PARAM_ALGORITHM_GBDT,
	GROVE_PARAM_ALGORITHM_FOREST,
	GROVE_PARAM_ALGORITHM_TREE
};								/* values of GroveParams.algorithm, equal to GroveAlgorithm */

enum
{
	GROVE_OBJECTIVE_AUTO,
	GROVE_OBJECTIVE_REGRESSION,
	GROVE_OBJECTIVE_REGRESSION_L1,
	GROVE_OBJECTIVE_HUBER,
	GROVE_OBJECTIVE_QUANTILE,
	GROVE_OBJECTIVE_POISSON,
	GROVE_OBJECTIVE_GAMMA,
	GROVE_OBJECTIVE_TWEEDIE,
	GROVE_OBJECTIVE_BINARY,
	GROVE_OBJECTIVE_MULTICLASS,
	GROVE_OBJECTIVE_LAMBDARANK
};								/* values of GroveParams.objective */

enum
{
	GROVE_PARAM_SAMPLE_BAGGING,
	GROVE_PARAM_SAMPLE_GOSS,
	GROVE_PARAM_SAMPLE_MVS
};								/* values of GroveParams.data_sample_strategy, equal to GroveSelectKind */

enum
{
	GROVE_PARAM_CCP_MIN,
	GROVE_PARAM_CCP_ONE_SE
};								/* values of GroveParams.ccp_rule */

#define GROVE_PARAM_TEXT_BYTES	63

typedef struct GroveParamText
{
	char		data[GROVE_PARAM_TEXT_BYTES + 1];	/* zero-terminated; empty: not given */
} GroveParamText;

/* One member an option, named like it. */
typedef struct GroveParams
{
#define GROVE_INT(name, def, min, max, help) int32_t name;
#define GROVE_REAL(name, def, min, max, help) double name;
#define GROVE_BOOL(name, def, help) bool name;
#define GROVE_ENUM(name, def, choices, help) int32_t name;
#define GROVE_TEXT(name, help) GroveParamText name;
#define GROVE_JSON(name, help) const char *name;
#define GROVE_ALIAS(alias, name)
#include "params.def"
#undef GROVE_INT
#undef GROVE_REAL
#undef GROVE_BOOL
#undef GROVE_ENUM
#undef GROVE_TEXT
#undef GROVE_JSON
#undef GROVE_ALIAS
} GroveParams;

typedef enum GroveParamType
{
	GROVE_PARAM_INT, GROVE_PARAM_REAL, GROVE_PARAM_BOOL, GROVE_PARAM_ENUM, GROVE_PARAM_TEXT,
	GROVE_PARAM_JSON
} GroveParamType;

typedef struct GroveParamInfo
{
	const char *name;
	GroveParamType type;
	size_t		offset;			/* of the member in GroveParams */
	double		def;			/* default; GROVE_AUTO: depends on the algorithm */
	double		min;
	double		max;
	const char *choices;		/* enum: "a|b|c" */
	const char *help;
} GroveParamInfo;

/* A second name of an option. */
typedef struct GroveParamAlias
{
	const char *alias;
	const char *name;			/* of the option, as in GroveParamInfo */
} GroveParamAlias;

/* All options in the order of params.def; *count is their number. */
extern const GroveParamInfo *grove_params_table(int *count);

/* All aliases in the order of params.def; *count is their number. */
extern const GroveParamAlias *grove_params_aliases(int *count);

/* The option of this name or alias, or NULL. */
extern const GroveParamInfo *grove_params_find(const char *name);

/* The option or alias whose name is nearest to this one by edit distance; never NULL. */
extern const char *grove_params_nearest(const char *name);

/* Every option at its default, GROVE_AUTO where it depends on the algorithm. */
extern void grove_params_init(GroveParams *params);

/* Sets a number, boolean (0/1) or enum index; GROVE_ERR_RANGE outside [min, max], for a non-integer given to an INT, and for NaN. */
extern GroveStatus grove_params_set(GroveParams *params, const GroveParamInfo *info, double value);

/* The value of a number, boolean (0/1) or enum index; GROVE_AUTO when it is not resolved yet. */
extern double grove_params_get(const GroveParams *params, const GroveParamInfo *info);

/* Sets a text option; GROVE_ERR_SIZE when it is longer than GROVE_PARAM_TEXT_BYTES or empty. */
extern GroveStatus grove_params_set_text(GroveParams *params, const GroveParamInfo *info,
										 const char *data, size_t length);

/* The value of a text option; empty when not given. */
extern const char *grove_params_get_text(const GroveParams *params, const GroveParamInfo *info);

/* Sets a JSON option to zero-terminated JSON text that the caller keeps; NULL: not given. */
extern void grove_params_set_json(GroveParams *params, const GroveParamInfo *info, const char *json);

/* The text of a JSON option, NULL when not given. */
extern const char *grove_params_get_json(const GroveParams *params, const GroveParamInfo *info);

/* Index of a choice of an enum option, or -1. */
extern int	grove_params_choice(const GroveParamInfo *info, const char *choice);

/* Replaces what is still GROVE_AUTO; regression: task is regression or ranking. */
extern void grove_params_resolve(GroveParams *params, bool regression, int n_features);

#endif							/* GROVE_PARAMS_H */
