// Package worker is where campaigns meet message centres: it works the batches that hints name, takes
// in what the centres bring, settles it, and sweeps up after whoever died.
//
// Invariants:
//
//   - Nothing is written to a message centre before a stride that names it is committed, nor later than
//     that stride's send-by time, nor to a number whose stop this process knows.
//   - Nothing is acknowledged to a message centre before it is committed.
//   - A hint is never trusted: the claim in PostgreSQL decides. Handlers may run twice at once.
//   - Parts written ahead and not yet recorded are bounded per route, all batches together, by half a
//     second of the rate and by two windows: that is all that a crash can leave unknown.
package worker
