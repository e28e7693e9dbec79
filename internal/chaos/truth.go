package chaos

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	firstNumber = 919800000000
	mostParts   = 3 // of a message
)

// person is what the centre's record says of one number.
type person struct {
	accepted [mostParts]int64 // when the centre last accepted the part, in Unix milliseconds; 0 never
	stopped  int64            // when her stop was acknowledged, 0 never
	refused  bool             // the centre refused a part of hers for whatever reason
}

// mask says which parts were accepted.
func (p *person) mask() (m uint8) {
	for i, at := range p.accepted {
		if at != 0 {
			m |= 1 << i
		}
	}
	return m
}

// lost is a time of which the database knows nothing since a backup was put back.
type lost struct{ from, to int64 }

// truth reads the centre's record as it is written. It is the io.Writer of the record.
type truth struct {
	mu         sync.Mutex
	rest       []byte // of a line that is not whole yet
	columns    columns
	people     []person
	resend     func(i int) bool // whether the person's campaign sends again what is unknown
	lost       []lost
	accepted   int64 // parts
	again      int64 // parts accepted once more with leave: sent again after unknown, or lost with a backup
	lostParts  int64 // of those, after a restore
	violations []string
}

func newTruth(people int, resend func(i int) bool) *truth {
	return &truth{people: make([]person, people), resend: resend}
}

// Write takes CSV lines of the record.
func (t *truth) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := append(t.rest, p...) //nolint:gocritic // the rest is given up here
	for {
		line, rest, whole := bytes.Cut(all, []byte("\n"))
		if !whole {
			break
		}
		all = rest
		if t.columns.all == 0 {
			var err error
			if t.columns, err = findColumns(line); err != nil {
				return 0, err
			}
			continue
		}
		if err := t.read(line); err != nil {
			return 0, err
		}
	}
	t.rest = append(t.rest[:0:0], all...)
	return len(p), nil
}

// columns are the places of what is read in a line of the record. None of its fields is ever quoted here.
type columns struct{ at, destination, esmClass, message, status, all int }

func findColumns(header []byte) (c columns, err error) {
	names := strings.Split(string(header), ",")
	c.all = len(names)
	for name, place := range map[string]*int{
		"at": &c.at, "destination": &c.destination, "esm_class": &c.esmClass, "short_message": &c.message, "status": &c.status,
	} {
		if *place = slices.Index(names, name); *place < 0 {
			return c, fmt.Errorf("the centre's record has no column %s", name)
		}
	}
	return c, nil
}

func (t *truth) read(line []byte) error {
	fields := bytes.Split(line, []byte(","))
	if len(fields) != t.columns.all {
		return fmt.Errorf("the centre's record has a line of %d columns, not %d", len(fields), t.columns.all)
	}
	destination := string(fields[t.columns.destination])
	number, _ := strconv.ParseInt(destination, 10, 64) // what is no number is nobody's
	i := int(number - firstNumber)
	if i < 0 || i >= len(t.people) {
		t.violate("the centre got a message for %s, who is nobody of ours", destination)
		return nil
	}
	part, err := partOf(fields[t.columns.esmClass], fields[t.columns.message])
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, string(fields[t.columns.at]))
	if err != nil {
		return err
	}
	if !bytes.Equal(fields[t.columns.status], []byte("0x0")) {
		t.people[i].refused = true
		return nil
	}
	t.accept(i, part, at)
	return nil
}

// stopGrace is how long after its acknowledgement a stop must be in effect.
const stopGrace = time.Second

func (t *truth) accept(i, part int, at time.Time) {
	p, now := &t.people[i], at.UnixMilli()
	t.accepted++
	if p.stopped != 0 && now > p.stopped+stopGrace.Milliseconds() {
		t.violate("person %d was written to %d ms after her stop was acknowledged", i, now-p.stopped)
	}
	switch before := p.accepted[part]; {
	case before == 0:
	case t.isLost(before):
		t.again++
		t.lostParts++
	case t.resend(i):
		t.again++
	default:
		t.violate("person %d got part %d twice, first at %s and then %s later", i, part+1,
			time.UnixMilli(before).Format(time.TimeOnly), time.Duration(now-before)*time.Millisecond)
	}
	p.accepted[part] = now
}

func (t *truth) isLost(at int64) bool {
	for _, l := range t.lost {
		if at >= l.from && at <= l.to {
			return true
		}
	}
	return false
}

// partOf reads the number of a part, from 0, off the user data header of 3GPP TS 23.040, section 9.2.3.24.8.
func partOf(esmClass, message []byte) (int, error) {
	class, err := strconv.ParseUint(string(esmClass), 10, 8)
	if err != nil {
		return 0, err
	}
	if class&0x40 == 0 {
		return 0, nil
	}
	if len(message) < 14 || string(message[:6]) != "060804" {
		return 0, fmt.Errorf("a part has the header %q", message[:min(14, len(message))])
	}
	part, err := strconv.ParseUint(string(message[12:14]), 16, 8)
	if err != nil || part < 1 || part > mostParts {
		return 0, fmt.Errorf("a part says that it is number %s", message[12:14])
	}
	return int(part) - 1, nil
}

const mostViolations = 50

// violate notes what must not be. The lock is held.
func (t *truth) violate(format string, args ...any) {
	if len(t.violations) < mostViolations {
		t.violations = append(t.violations, fmt.Sprintf(format, args...))
	}
}

// report notes what must not be and was found elsewhere.
func (t *truth) report(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.violate(format, args...)
}

// found gives the violations so far.
func (t *truth) found() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.violations...)
}

// count is how many parts were accepted.
func (t *truth) count() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.accepted
}

// stop notes that a person's stop was acknowledged now.
func (t *truth) stop(i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.people[i].stopped = time.Now().UnixMilli()
}

// forget marks a time as lost with the database's data, and answers whose stops were lost with it.
func (t *truth) forget(from, to time.Time) (stops []int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := lost{from.UnixMilli(), to.UnixMilli()}
	t.lost = append(t.lost, l)
	for i := range t.people {
		if p := &t.people[i]; p.stopped >= l.from {
			p.stopped = 0
			stops = append(stops, i)
		}
	}
	return stops
}

// look is a copy of what is known, for a comparison with the ledger.
type look struct {
	masks   []uint8 // parts accepted, by person
	excused []uint8 // parts of these whose last acceptance a restore has made the ledger forget
	refused []bool
	stopped []bool
}

func (t *truth) look() look {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.people)
	l := look{masks: make([]uint8, n), excused: make([]uint8, n), refused: make([]bool, n), stopped: make([]bool, n)}
	for i := range t.people {
		p := &t.people[i]
		l.masks[i], l.refused[i], l.stopped[i] = p.mask(), p.refused, p.stopped != 0
		if len(t.lost) == 0 {
			continue
		}
		for part, at := range p.accepted {
			if at != 0 && t.isLost(at) {
				l.excused[i] |= 1 << part
			}
		}
	}
	return l
}

// untouched picks people of a range to whom nothing was sent yet and who have not said stop.
func (t *truth) untouched(from, to, n int, pick func(int) int) (list []int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for try := 0; try < 50*n && len(list) < n; try++ {
		i := from + pick(to-from)
		if p := &t.people[i]; p.mask() == 0 && p.stopped == 0 {
			list = append(list, i)
		}
	}
	return list
}

// newest is when the centre last accepted a part for the people of a range, in Unix milliseconds.
func (t *truth) newest(from, to int) (at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := from; i < to; i++ {
		for _, part := range t.people[i].accepted {
			at = max(at, part)
		}
	}
	return at
}
