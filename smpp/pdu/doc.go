// Package pdu encodes and decodes the protocol data units of SMPP 3.4 by hand.
//
// Invariants:
//
//   - Decoding never panics and never reads past the octets it was given: every read is bounds-checked first, and what does
//     not fit is a *FormatError that names the field and its offset.
//   - Decoding is liberal, encoding is strict: a C-octet string of any length is read as long as it ends inside the body,
//     but nothing longer than the tables of SMPP 3.4 section 4 is ever written.
//   - Octet strings (short_message and TLV values) of a decoded unit alias the body they were decoded from; C-octet strings are
//     copies. Decoding into a used struct reuses its TLV slice, and keeps a string whose text did not change, so that a loop
//     over one sender's messages allocates for the destination and nothing else.
//   - Encoding appends to the caller's slice and leaves it as it was when it refuses.
//
// The vocabulary, that is the command ids, the status codes and the tags, is that of github.com/fiorix/go-smpp; its codec is
// slower by an order of magnitude, and cannot carry every unit (it adds an octet to deliver_sm and drops integer TLVs), so
// it serves the tests as an oracle.
package pdu
