// Package doctor finds out what is wrong with an installation and says how to mend it, whether or not a server runs.
//
// What holds:
//
//   - It only looks: nothing is started, made, locked or changed.
//   - Every examination stands alone, ends in time, and may find that what it needs is away; the others go on.
//   - What was found is judged by pure functions (judge…), apart from the finding.
//   - A finding fits on one line; whatever is not ok comes with its mend. Neither holds a number of a person, a text or a password.
package doctor
