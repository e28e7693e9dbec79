package queue

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The queues, each served by its own asynq server.
const (
	Urgent = "urgent"
	Normal = "normal"
	Bulk   = "bulk"
)

// names lists the queues, most pressing first.
var names = [...]string{Urgent, Normal, Bulk}

// taskType is the asynq type of every hint.
const taskType = "hint"

// ErrInvalidHint is returned for a payload that is not a hint.
var ErrInvalidHint = errors.New("invalid hint")

// Hint says that a batch may have work.
type Hint struct {
	Run   int32
	Batch int32
	No    int32 // counts the hints given for this batch, so that each has a task id of its own
}

// ID returns the task id and payload, "run:batch:no".
func (h Hint) ID() string {
	b := make([]byte, 0, 32)
	b = strconv.AppendInt(b, int64(h.Run), 10)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(h.Batch), 10)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(h.No), 10)
	return string(b)
}

// parseHint reads what ID wrote and nothing else: ParseInt's signs and leading zeros are refused.
func parseHint(payload string) (Hint, error) {
	var h Hint
	rest := payload
	for i, field := range []*int32{&h.Run, &h.Batch, &h.No} {
		digits := rest
		if i < 2 {
			var found bool
			if digits, rest, found = strings.Cut(rest, ":"); !found {
				return Hint{}, fmt.Errorf("%w %.40q", ErrInvalidHint, payload)
			}
		}
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil {
			return Hint{}, fmt.Errorf("%w %.40q", ErrInvalidHint, payload)
		}
		*field = int32(n)
	}
	if h.ID() != payload {
		return Hint{}, fmt.Errorf("%w %.40q", ErrInvalidHint, payload)
	}
	return h, nil
}
