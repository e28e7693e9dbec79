// Package backup puts an installation into one file and back: the database as of one moment, the key under which phone
// numbers are hashed, and the files of the home that a person wrote.
//
// The file is a tar that is written without going back: a header, the home's files, the database as PostgreSQL's own
// custom dump in pieces, and last a manifest with the sum of every piece. A file without a manifest broke off. What is put
// back sends nothing until a person has looked into what was sent since: see docs/decisions/0072-backup.md.
package backup
