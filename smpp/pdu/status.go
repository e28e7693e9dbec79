package pdu

import (
	"fmt"

	gopdu "github.com/fiorix/go-smpp/smpp/pdu"
)

// Status is a command_status (SMPP 3.4, section 5.1.3). As an error it says what it means in words.
type Status = gopdu.Status

// The statuses of SMPP 3.4, table 5-2.
const (
	StatusOK                     Status = 0x00
	StatusInvalidMessageLength   Status = 0x01
	StatusInvalidCommandLength   Status = 0x02
	StatusInvalidCommandID       Status = 0x03
	StatusIncorrectBindStatus    Status = 0x04
	StatusAlreadyBound           Status = 0x05
	StatusInvalidPriority        Status = 0x06
	StatusInvalidRegistered      Status = 0x07
	StatusSystemError            Status = 0x08
	StatusInvalidSource          Status = 0x0A
	StatusInvalidDestination     Status = 0x0B
	StatusInvalidMessageID       Status = 0x0C
	StatusBindFailed             Status = 0x0D
	StatusInvalidPassword        Status = 0x0E
	StatusInvalidSystemID        Status = 0x0F
	StatusCancelFailed           Status = 0x11
	StatusReplaceFailed          Status = 0x13
	StatusMessageQueueFull       Status = 0x14
	StatusInvalidServiceType     Status = 0x15
	StatusInvalidDestinations    Status = 0x33
	StatusInvalidListName        Status = 0x34
	StatusInvalidDestFlag        Status = 0x40
	StatusInvalidReplace         Status = 0x42
	StatusInvalidESMClass        Status = 0x43
	StatusCannotSubmitList       Status = 0x44
	StatusSubmitFailed           Status = 0x45
	StatusInvalidSourceTON       Status = 0x48
	StatusInvalidSourceNPI       Status = 0x49
	StatusInvalidDestTON         Status = 0x50
	StatusInvalidDestNPI         Status = 0x51
	StatusInvalidSystemType      Status = 0x53
	StatusInvalidReplaceFlag     Status = 0x54
	StatusInvalidMessages        Status = 0x55
	StatusThrottled              Status = 0x58
	StatusInvalidSchedule        Status = 0x61
	StatusInvalidValidity        Status = 0x62
	StatusInvalidDefaultMessage  Status = 0x63
	StatusReceiverTemporary      Status = 0x64
	StatusReceiverPermanent      Status = 0x65
	StatusReceiverReject         Status = 0x66
	StatusQueryFailed            Status = 0x67
	StatusInvalidOptionalPart    Status = 0xC0
	StatusOptionalNotAllowed     Status = 0xC1
	StatusInvalidParameterLength Status = 0xC2
	StatusMissingOptional        Status = 0xC3
	StatusInvalidOptional        Status = 0xC4
	StatusDeliveryFailure        Status = 0xFE
	StatusUnknownError           Status = 0xFF
)

var statusNames = map[Status]string{
	StatusOK: "ESME_ROK", StatusInvalidMessageLength: "ESME_RINVMSGLEN", StatusInvalidCommandLength: "ESME_RINVCMDLEN",
	StatusInvalidCommandID: "ESME_RINVCMDID", StatusIncorrectBindStatus: "ESME_RINVBNDSTS", StatusAlreadyBound: "ESME_RALYBND",
	StatusInvalidPriority: "ESME_RINVPRTFLG", StatusInvalidRegistered: "ESME_RINVREGDLVFLG", StatusSystemError: "ESME_RSYSERR",
	StatusInvalidSource: "ESME_RINVSRCADR", StatusInvalidDestination: "ESME_RINVDSTADR", StatusInvalidMessageID: "ESME_RINVMSGID",
	StatusBindFailed: "ESME_RBINDFAIL", StatusInvalidPassword: "ESME_RINVPASWD", StatusInvalidSystemID: "ESME_RINVSYSID",
	StatusCancelFailed: "ESME_RCANCELFAIL", StatusReplaceFailed: "ESME_RREPLACEFAIL", StatusMessageQueueFull: "ESME_RMSGQFUL",
	StatusInvalidServiceType: "ESME_RINVSERTYP", StatusInvalidDestinations: "ESME_RINVNUMDESTS", StatusInvalidListName: "ESME_RINVDLNAME",
	StatusInvalidDestFlag: "ESME_RINVDESTFLAG", StatusInvalidReplace: "ESME_RINVSUBREP", StatusInvalidESMClass: "ESME_RINVESMCLASS",
	StatusCannotSubmitList: "ESME_RCNTSUBDL", StatusSubmitFailed: "ESME_RSUBMITFAIL", StatusInvalidSourceTON: "ESME_RINVSRCTON",
	StatusInvalidSourceNPI: "ESME_RINVSRCNPI", StatusInvalidDestTON: "ESME_RINVDSTTON", StatusInvalidDestNPI: "ESME_RINVDSTNPI",
	StatusInvalidSystemType: "ESME_RINVSYSTYP", StatusInvalidReplaceFlag: "ESME_RINVREPFLAG", StatusInvalidMessages: "ESME_RINVNUMMSGS",
	StatusThrottled: "ESME_RTHROTTLED", StatusInvalidSchedule: "ESME_RINVSCHED", StatusInvalidValidity: "ESME_RINVEXPIRY",
	StatusInvalidDefaultMessage: "ESME_RINVDFTMSGID", StatusReceiverTemporary: "ESME_RX_T_APPN", StatusReceiverPermanent: "ESME_RX_P_APPN",
	StatusReceiverReject: "ESME_RX_R_APPN", StatusQueryFailed: "ESME_RQUERYFAIL", StatusInvalidOptionalPart: "ESME_RINVOPTPARSTREAM",
	StatusOptionalNotAllowed: "ESME_ROPTPARNOTALLWD", StatusInvalidParameterLength: "ESME_RINVPARLEN",
	StatusMissingOptional: "ESME_RMISSINGOPTPARAM", StatusInvalidOptional: "ESME_RINVOPTPARAMVAL",
	StatusDeliveryFailure: "ESME_RDELIVERYFAILURE", StatusUnknownError: "ESME_RUNKNOWNERR",
}

// StatusName is the specification's name of a status, such as ESME_RTHROTTLED, by which operators' manuals list it; an
// operator's own status is given in hexadecimal, such as 0x00000400.
func StatusName(s Status) string {
	if name, ok := statusNames[s]; ok {
		return name
	}
	return fmt.Sprintf("0x%08X", uint32(s))
}
