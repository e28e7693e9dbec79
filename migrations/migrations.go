// Package migrations holds the numbered SQL files that build the schema, embedded so that the program carries its own.
// They run forward only: a file that was released is never edited, a mistake is mended by the next number.
package migrations

import "embed"

// FS holds every migration file at its root, named NNNN_subject.sql in goose's format.
//
//go:embed *.sql
var FS embed.FS
