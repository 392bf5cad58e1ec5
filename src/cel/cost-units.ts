/** The units of cost that estimates and evaluations share (cel-go common/cost.go). */

/** Cost of touching one character of a text. */
export const STRING_TRAVERSAL_COST_FACTOR = 0.1;
/** Cost of one character of a regular expression, per unit of the text it is applied to. */
export const REGEX_STRING_LENGTH_COST_FACTOR = 0.25;
/** Cost of making a list. */
export const LIST_CREATE_BASE_COST = 10;
/** Cost of making a map. */
export const MAP_CREATE_BASE_COST = 30;
/** Cost of making a message. */
export const STRUCT_CREATE_BASE_COST = 40;
