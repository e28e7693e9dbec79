package report

import (
	"hash"
	"io"
	"time"
)

// india is the zone in which people read times.
var india = time.FixedZone("+05:30", int(kolkata/second))

// output gathers lines and writes them in large pieces, with their sum.
type output struct {
	to     io.Writer
	sum    hash.Hash
	buffer []byte
	lines  int64
	bytes  int64
}

// line counts the line just added to the buffer.
func (o *output) line() error {
	o.lines++
	if len(o.buffer) < flushSize {
		return nil
	}
	return o.flush()
}

func (o *output) flush() error {
	o.sum.Write(o.buffer) // a hash never fails
	n, err := o.to.Write(o.buffer)
	o.bytes += int64(n)
	o.buffer = o.buffer[:0]
	return err
}
