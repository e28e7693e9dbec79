package audience

import (
	"crypto/md5" //nolint:gosec // names a person, protects nothing
	"unicode/utf8"
)

// identity is the uuid under which a person is known across imports.
type identity [16]byte

// identity names the person: by source and source_id where the row has one, else by number and name.
func (r *rowReader) identity(c *importChunk, cells []span) identity {
	h := r.hash[:0]
	if r.plan.sourceID >= 0 && cells[r.plan.sourceID].length > 0 {
		h = append(append(append(h, "id\x00"...), r.source...), 0)
		h = append(h, c.bytesOf(cells[r.plan.sourceID])...)
	} else {
		h = append(h, "number\x00"...)
		h = append(h, c.bytesOf(cells[r.plan.number])...)
		if r.plan.name >= 0 && cells[r.plan.name].length > 0 {
			h = appendFolded(h, c.bytesOf(cells[r.plan.name]))
		}
	}
	r.hash = h
	return md5.Sum(h) //nolint:gosec // names a person, protects nothing
}

// appendFolded appends a name without what differs from list to list: see foldPlace.
func appendFolded(dst, name []byte) []byte {
	for i, c := range name {
		switch {
		case c >= utf8.RuneSelf || c == '&':
			return append(dst[:len(dst)-foldedLength(name[:i])], foldPlace(string(name))...)
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			dst = append(dst, c)
		}
	}
	return dst
}

func foldedLength(ascii []byte) int {
	n := 0
	for _, c := range ascii {
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}
