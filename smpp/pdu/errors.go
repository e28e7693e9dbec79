package pdu

import (
	"errors"
	"fmt"
)

// ErrLength is returned by ReadPDU and DecodeHeader for a command_length below 16 or above MaxLength. The stream cannot be read
// on after it: there is no telling where the next unit starts.
var ErrLength = errors.New("command length out of bounds")

// FormatError says that a received unit ends before, or inside, one of its fields.
type FormatError struct {
	ID     ID     // the command
	Field  string // the field's name in the specification
	Offset int    // where the field starts, in octets from the start of the body (after the header)
}

// Error names the command, the field and the offset.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: %s at body offset %d is cut short", commandName(e.ID), e.Field, e.Offset)
}

// LimitError says that a field cannot be sent: it is longer than SMPP 3.4 allows, or holds a NUL, which would end it early.
type LimitError struct {
	ID     ID     // the command
	Field  string // the field's name in the specification
	Length int    // the value's length in octets
	Limit  int    // the most that fits, without the terminating NUL
}

// Error names the command, the field, its length and the limit.
func (e *LimitError) Error() string {
	if e.Length <= e.Limit {
		return fmt.Sprintf("%s: %s holds a NUL octet", commandName(e.ID), e.Field)
	}
	return fmt.Sprintf("%s: %s of %d octets is over the limit of %d", commandName(e.ID), e.Field, e.Length, e.Limit)
}

func commandName(id ID) string {
	if name := id.String(); name != "" {
		return name
	}
	return fmt.Sprintf("command 0x%08X", uint32(id))
}
