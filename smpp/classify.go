package smpp

import (
	"fmt"

	"pukar/smpp/pdu"
)

// Class is what a non-zero command_status asks of the sender.
type Class uint8

// The classes. The zero value stands for success.
const (
	// ClassSuccess is status zero.
	ClassSuccess Class = iota
	// ClassPermanent refuses this message for good; the next one may pass.
	ClassPermanent
	// ClassTransient may pass when tried again, a bounded number of times.
	ClassTransient
	// ClassThrottled says that too much was sent: it is not an attempt, and the bind pauses.
	ClassThrottled
	// ClassConfiguration refuses for good what every message of the sender has in common: a burst of these is a fault to mend.
	ClassConfiguration
)

var classNames = [...]string{"success", "permanent", "transient", "throttled", "configuration"}

// String is the class's name in lower case.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class %d", uint8(c))
}

// Statuses of SMPP 5.0 (section 4.7.6) that SMPP 3.4 does not know.
const (
	statusServiceUnauthorised pdu.Status = 0x100
	statusProhibited          pdu.Status = 0x101
	statusServiceUnavailable  pdu.Status = 0x102
	statusServiceDenied       pdu.Status = 0x103
	statusInvalidDataCoding   pdu.Status = 0x104
)

// statusClasses holds every status whose class is not ClassPermanent. A centre that answers "incorrect bind status" has lost our bind,
// which a new bind mends, so the message is not to blame.
var statusClasses = map[pdu.Status]Class{
	pdu.StatusOK: ClassSuccess,

	pdu.StatusThrottled:        ClassThrottled,
	pdu.StatusMessageQueueFull: ClassThrottled,

	pdu.StatusIncorrectBindStatus: ClassTransient,
	pdu.StatusSystemError:         ClassTransient,
	pdu.StatusSubmitFailed:        ClassTransient,
	pdu.StatusReceiverTemporary:   ClassTransient,
	pdu.StatusReceiverReject:      ClassTransient,
	pdu.StatusDeliveryFailure:     ClassTransient,
	pdu.StatusUnknownError:        ClassTransient,
	statusServiceUnavailable:      ClassTransient,

	pdu.StatusInvalidCommandID:       ClassConfiguration,
	pdu.StatusAlreadyBound:           ClassConfiguration,
	pdu.StatusInvalidPriority:        ClassConfiguration,
	pdu.StatusInvalidRegistered:      ClassConfiguration,
	pdu.StatusInvalidSource:          ClassConfiguration,
	pdu.StatusBindFailed:             ClassConfiguration,
	pdu.StatusInvalidPassword:        ClassConfiguration,
	pdu.StatusInvalidSystemID:        ClassConfiguration,
	pdu.StatusInvalidServiceType:     ClassConfiguration,
	pdu.StatusInvalidESMClass:        ClassConfiguration,
	pdu.StatusInvalidSourceTON:       ClassConfiguration,
	pdu.StatusInvalidSourceNPI:       ClassConfiguration,
	pdu.StatusInvalidSystemType:      ClassConfiguration,
	pdu.StatusInvalidOptionalPart:    ClassConfiguration,
	pdu.StatusOptionalNotAllowed:     ClassConfiguration,
	pdu.StatusInvalidParameterLength: ClassConfiguration,
	pdu.StatusMissingOptional:        ClassConfiguration,
	pdu.StatusInvalidOptional:        ClassConfiguration,
	statusServiceUnauthorised:        ClassConfiguration,
	statusServiceDenied:              ClassConfiguration,
	statusInvalidDataCoding:          ClassConfiguration,
}

// Classify says what a command_status asks of the sender. A status that is not in the table, such as an operator's own above
// 0x3FF, is ClassPermanent: the centre did refuse, and repeating what is not understood only hammers it.
func Classify(status pdu.Status) Class {
	if class, ok := statusClasses[status]; ok {
		return class
	}
	return ClassPermanent
}

// StatusError is a request of ours that the peer answered with a non-zero status.
type StatusError struct {
	Command pdu.ID // the request
	Status  pdu.Status
}

// Error names the command and says what the status means.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s refused: %s (0x%08X)", commandName(e.Command), e.Status.Error(), uint32(e.Status))
}

// Class is Classify of the status.
func (e *StatusError) Class() Class { return Classify(e.Status) }

func commandName(id pdu.ID) string {
	switch id {
	case pdu.BindTransceiverID:
		return "bind_transceiver"
	case pdu.BindTransmitterID:
		return "bind_transmitter"
	case pdu.BindReceiverID:
		return "bind_receiver"
	case pdu.SubmitSMID:
		return "submit_sm"
	}
	return fmt.Sprintf("command 0x%08X", uint32(id))
}
