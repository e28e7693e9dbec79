// Package smpp sends short messages to a message centre and takes receipts and incoming messages from it, over SMPP 3.4.
//
// A Bind is one configured connection: it dials, binds, reconnects with a growing wait, and drains. While it is bound, a session
// of its own serves the connection. A Route is a set of binds of which one is picked for each batch. ParseReceipt reads the
// dialects of delivery receipts, and Classify says what a refusal means.
//
// Invariants:
//
//   - A session has one reader, one writer, one keeper of deadlines and one settler, which runs the callbacks of batches. The
//     deliveries of a bind have a goroutine of their own. No callback but Batch.Allow runs on the reader or the writer.
//   - A part takes its window slot, and its sequence number is registered, before its first byte is written; so a response
//     cannot come before the one who waits for it. The slot is given back after Batch.Done has returned, which bounds the memory
//     held for results by the window.
//   - Only submit_sm_resp and generic_nack answer a submit_sm. Whatever else bears an equal sequence number is something else.
//   - Done is called exactly once for each part. NotSent means that provably no byte of the part was handed to the connection;
//     when bytes may have left and no answer came, the outcome is Unknown, and never anything better.
//   - What the peer is owed (acknowledgements, answers to enquire_link and unbind) never waits for the window, for pacing or
//     for a pause after throttling.
//   - A deliver_sm is answered when the application says so, or at once with a temporary error where too many are waiting.
//   - Neither a password, a phone number nor a text is written to a log or into an error.
package smpp
