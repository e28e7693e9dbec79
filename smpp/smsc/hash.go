package smsc

import (
	"encoding/binary"
	"math/bits"
)

// Odd constants with well-spread bits, the first digits of pi.
const (
	k0 = 0x243F6A8885A308D3
	k1 = 0x13198A2E03707345
	k2 = 0xA4093822299F31D1
)

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// mix spreads the bits of one number over another.
func mix(n uint64) uint64 {
	return fold(fold(n^k0, k1)^n, k2)
}

// hashBytes continues a hash over the given octets, eight at a time. It is the same in every process, which the standard
// library's maphash is not; it withstands no attacker, and has none to withstand.
func hashBytes[T string | []byte](h uint64, b T) uint64 {
	n := uint64(len(b))
	var word [8]byte
	for len(b) >= 8 {
		copy(word[:], b)
		h = fold(h^binary.LittleEndian.Uint64(word[:])^k1, k2)
		b = b[8:]
	}
	if len(b) > 0 {
		word = [8]byte{}
		copy(word[:], b)
		h = fold(h^binary.LittleEndian.Uint64(word[:]), k0^k2)
	}
	return fold(h^n, k1)
}

// chance turns a hash into a number from 0 to 1, other for every question asked of the same hash.
func chance(hash, question uint64) float64 {
	return float64(mix(hash^question*k0)>>11) / (1 << 53)
}

// hashSet is a set of 64-bit hashes in one slice without pointers, at most three quarters full. Zero stands for an empty place,
// and so for no hash.
type hashSet struct {
	places []uint64
	n      int
	limit  int // entries at most
}

// add reports whether the hash was there already, and whether there was room to remember it.
func (s *hashSet) add(h uint64) (was, remembered bool) {
	if h == 0 {
		h = k0
	}
	if 4*(s.n+1) > 3*len(s.places) && s.n < s.limit {
		s.grow()
	}
	if len(s.places) == 0 {
		return false, false
	}
	i := s.find(h)
	if s.places[i] == h {
		return true, true
	}
	if s.n >= s.limit {
		return false, false
	}
	s.places[i] = h
	s.n++
	return false, true
}

func (s *hashSet) has(h uint64) bool {
	if h == 0 {
		h = k0
	}
	return len(s.places) > 0 && s.places[s.find(h)] == h
}

func (s *hashSet) find(h uint64) int {
	mask := len(s.places) - 1
	i := int(h) & mask
	for s.places[i] != 0 && s.places[i] != h {
		i = (i + 1) & mask
	}
	return i
}

func (s *hashSet) grow() {
	old := s.places
	s.places = make([]uint64, max(1024, 2*len(old)))
	for _, h := range old {
		if h != 0 {
			s.places[s.find(h)] = h
		}
	}
}

// bigSet is a hashSet in parts that grow one by one, so that the centre does not stand still while millions are moved.
type bigSet struct {
	parts [64]hashSet
}

func newBigSet(limit int) *bigSet {
	b := new(bigSet)
	for i := range b.parts {
		// Rounded up: a small limit is approximate.
		b.parts[i].limit = limit/len(b.parts) + 1
	}
	return b
}

func (b *bigSet) add(h uint64) (was, remembered bool) {
	// The places within a part are chosen by the low bits.
	return b.parts[h>>58].add(h)
}
