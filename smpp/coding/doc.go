// Package coding turns text into the octets of short messages and back: the GSM 7-bit default alphabet of 3GPP TS 23.038 and
// UCS-2, split into concatenated parts as 3GPP TS 23.040 section 9.2.3.24 describes.
//
// Invariants:
//   - [Count] and [Encode] never disagree about alphabet, units and number of parts.
//   - A part never ends between an escape and its character, nor inside a surrogate pair.
//   - The number of parts is the smallest possible: keeping clusters of characters together never costs a part.
//   - Nothing here panics, whatever the input; octets from outside may be anything.
//   - GSM 7-bit septets go one to an octet; over SMPP the message centre packs them.
package coding
