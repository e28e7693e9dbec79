// Package auditlog keeps the record of who changed what: a chain in which each row's hash covers the row and the hash before it.
//
// What holds:
//
//   - An event is written in the transaction of the change it tells of. Both stand or neither.
//   - Ids are 1, 2, 3 … without gaps and in order of commit: writers take turns on an advisory lock until their transaction ends, so
//     Append belongs at the end of a transaction that must not wait for anything else.
//   - hash = SHA-256 of the JSON array [previous, id, at, actor, action, subject, before, after] without spaces: hashes in lower-case
//     hex, the time in UTC with six digits of fraction, before and after with the keys of every object in byte order and numbers as
//     PostgreSQL's jsonb writes them, null where there is none. Anybody can compute it again from an export.
//   - The chain shows a changed, inserted or removed row, but not that its end was cut off, nor that all of it was written anew by
//     somebody who can write to the table. An Anchor kept elsewhere (a log, a printed report, an export in other hands) shows both.
package auditlog
