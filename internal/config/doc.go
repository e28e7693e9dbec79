// Package config reads the program's settings: defaults, then one YAML file, then PUKAR_ environment variables, then
// flags, each layer over the one before.
//
// Invariants:
//
//   - A key that is unknown or not built yet is refused, in every layer.
//   - Load reports all problems at once, each with the place it stands at, its key and how to mend it.
//   - Scalars are taken as they are written: 0.1450 keeps its zeros and 0123 is not an octal number.
//   - A Secret never shows itself in a log, an error or JSON, and may be given as a file.
package config
