package audience

import "encoding/binary"

// seenFilter remembers, in bounded memory, whom a file has named already: "no" is certain, "yes" must
// be asked of the database (a Bloom filter with four bits a person). It spares the first import into
// an empty register a look into the index for every person.
type seenFilter struct{ bits []uint64 }

// seenBits is 16 MB; with ten million people one in 200 is asked about for nothing.
const seenBits = 1 << 27

func newSeenFilter() *seenFilter { return &seenFilter{bits: make([]uint64, seenBits/64)} }

// add notes a person and reports whether she may have been noted before. The identity is a hash
// already, so its own bytes choose the bits.
func (f *seenFilter) add(who identity) bool {
	all := true
	for i := 0; i < len(who); i += 4 {
		at := binary.LittleEndian.Uint32(who[i:]) % seenBits
		word, bit := at/64, uint64(1)<<(at%64)
		if f.bits[word]&bit == 0 {
			all = false
			f.bits[word] |= bit
		}
	}
	return all
}
