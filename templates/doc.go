// Package templates keeps message templates: what was registered on the operators' DLT portals, in every language, with the
// contact fields that fill its tags.
//
// Invariants:
//   - A [Template] is made by [Parse] only, never changes and may be used by any number of goroutines.
//   - A rendered text equals the registered text character by character outside its tags; nothing is normalised, joined or
//     wrapped on the way, because operators compare literally and refuse what differs.
//   - What a portal would refuse for certain is an error; what some portals refuse is a warning.
//   - Versions in the store are only added: a run keeps the version that it was frozen with.
//   - Money is counted in whole millionths of a rupee, never in floating point.
package templates
