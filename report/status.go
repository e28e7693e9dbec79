package report

import (
	"fmt"
	"strconv"
)

// statusNames are the command_status values by which a message centre refuses a message (SMPP 3.4, table 5-2).
var statusNames = map[int32]string{
	0x01: "ESME_RINVMSGLEN",
	0x02: "ESME_RINVCMDLEN",
	0x03: "ESME_RINVCMDID",
	0x04: "ESME_RINVBNDSTS",
	0x06: "ESME_RINVPRTFLG",
	0x07: "ESME_RINVREGDLVFLG",
	0x08: "ESME_RSYSERR",
	0x0A: "ESME_RINVSRCADR",
	0x0B: "ESME_RINVDSTADR",
	0x0C: "ESME_RINVMSGID",
	0x14: "ESME_RMSGQFUL",
	0x15: "ESME_RINVSERTYP",
	0x42: "ESME_RINVESMCLASS",
	0x45: "ESME_RSUBMITFAIL",
	0x48: "ESME_RINVSRCTON",
	0x49: "ESME_RINVSRCNPI",
	0x50: "ESME_RINVDSTTON",
	0x51: "ESME_RINVDSTNPI",
	0x53: "ESME_RINVSYSTYP",
	0x54: "ESME_RINVREPFLAG",
	0x55: "ESME_RINVNUMMSGS",
	0x58: "ESME_RTHROTTLED",
	0x61: "ESME_RINVSCHED",
	0x62: "ESME_RINVEXPIRY",
	0x63: "ESME_RINVDFTMSGID",
	0x64: "ESME_RX_T_APPN",
	0x65: "ESME_RX_P_APPN",
	0x66: "ESME_RX_R_APPN",
	0x67: "ESME_RQUERYFAIL",
	0xC0: "ESME_RINVOPTPARSTREAM",
	0xC1: "ESME_ROPTPARNOTALLWD",
	0xC2: "ESME_RINVPARLEN",
	0xC3: "ESME_RMISSINGOPTPARAM",
	0xC4: "ESME_RINVOPTPARAMVAL",
	0xFE: "ESME_RDELIVERYFAILURE",
	0xFF: "ESME_RUNKNOWNERR",
}

// appendStatus writes a status as its name and number; operators' own numbers have no name.
func appendStatus(b []byte, status int32) []byte {
	if name, ok := statusNames[status]; ok {
		b = append(b, name...)
		b = append(b, ' ')
	}
	return fmt.Appendf(b, "0x%08X", uint32(status))
}

// appendINR writes millionths of a rupee as an exact decimal with at least two places.
func appendINR(b []byte, micro int64) []byte {
	if micro < 0 {
		b = append(b, '-')
		micro = -micro
	}
	b = strconv.AppendInt(b, micro/1_000_000, 10)
	b = append(b, '.')
	rest := micro % 1_000_000
	places, unit := 6, int64(100_000)
	for places > 2 && rest%10 == 0 {
		rest /= 10
		places--
		unit /= 10
	}
	for ; unit > 0; unit /= 10 {
		b = append(b, byte('0'+rest/unit%10))
	}
	return b
}
