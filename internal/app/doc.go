// Package app puts the parts of a process together, starts them in order and stops them in the reverse:
// the interface first, so that nothing new comes in; then the sweeper and the hints; then the strides
// that are on the wire; then the binds; then what takes receipts in; the servers last.
package app
