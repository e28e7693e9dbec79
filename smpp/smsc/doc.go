// Package smsc is a message centre simulator: a real SMPP 3.4 server, over TCP or in memory, that can be told to misbehave. It
// serves the demo, training, the rehearsal of a campaign, and tests; nothing it accepts reaches a handset.
//
// Invariants:
//
//   - Each connection has one reader and one writer, and the centre has one clock; there is no goroutine and no timer per
//     message. Responses and deliveries leave many to a write.
//   - Centre.mu guards the books: accounts, queues, counters, the journal, and what is outstanding on each connection. A reader
//     holds it for as many units as have arrived together. session.mu guards what waits to be written; it may be
//     taken under Centre.mu, never the other way, and nobody waits for the network or for room under either.
//   - What becomes of a message (delivered, failed, expired, refused) follows from the seed, its destination and its content
//     alone, so that a run repeated with the same seed meets the same fate. Throttling is a matter of the moment, so that
//     what was throttled may be tried again.
//   - A deliver_sm stays in the centre until it is acknowledged with status zero, or refused for good: it survives the
//     connection, is repeated after Options.RedeliverAfter, and goes to the next receiver-capable bind of the same system id.
//   - The receipt of a message is queued after its response is, unless Options.ReceiptBeforeResponse is set.
package smsc
