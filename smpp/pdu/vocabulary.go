package pdu

import (
	gopdu "github.com/fiorix/go-smpp/smpp/pdu"
	"github.com/fiorix/go-smpp/smpp/pdu/pdutlv"
)

// ID is a command_id (SMPP 3.4, section 5.1.2.1). Its String names the command.
type ID = gopdu.ID

// The commands that this package knows by name.
const (
	GenericNackID         = gopdu.GenericNACKID
	BindReceiverID        = gopdu.BindReceiverID
	BindReceiverRespID    = gopdu.BindReceiverRespID
	BindTransmitterID     = gopdu.BindTransmitterID
	BindTransmitterRespID = gopdu.BindTransmitterRespID
	BindTransceiverID     = gopdu.BindTransceiverID
	BindTransceiverRespID = gopdu.BindTransceiverRespID
	SubmitSMID            = gopdu.SubmitSMID
	SubmitSMRespID        = gopdu.SubmitSMRespID
	DeliverSMID           = gopdu.DeliverSMID
	DeliverSMRespID       = gopdu.DeliverSMRespID
	DataSMID              = gopdu.DataSMID
	DataSMRespID          = gopdu.DataSMRespID
	UnbindID              = gopdu.UnbindID
	UnbindRespID          = gopdu.UnbindRespID
	EnquireLinkID         = gopdu.EnquireLinkID
	EnquireLinkRespID     = gopdu.EnquireLinkRespID
	QuerySMID             = gopdu.QuerySMID
	QuerySMRespID         = gopdu.QuerySMRespID
	ReplaceSMID           = gopdu.ReplaceSMID
	CancelSMID            = gopdu.CancelSMID
	SubmitMultiID         = gopdu.SubmitMultiID
	OutbindID             = gopdu.OutbindID
	AlertNotificationID   = gopdu.AlertNotificationID
)

// responseBit is set in the command_id of every response (SMPP 3.4, section 5.1.2.1).
const responseBit ID = 0x80000000

// IsResponse reports whether the command answers another one; generic_nack does.
func IsResponse(id ID) bool { return id&responseBit != 0 }

// ResponseID is the command that answers the given request.
func ResponseID(id ID) ID { return id | responseBit }

// Tags of the optional parameters that matter here (SMPP 3.4, section 5.3.2).
const (
	TagAdditionalStatusInfo = uint16(pdutlv.TagAdditionalStatusInfoText)
	TagReceiptedMessageID   = uint16(pdutlv.TagReceiptedMessageID)
	TagUserMessageReference = uint16(pdutlv.TagUserMessageReference)
	TagSARReference         = uint16(pdutlv.TagSarMsgRefNum)
	TagSARTotal             = uint16(pdutlv.TagSarTotalSegments)
	TagSARSequence          = uint16(pdutlv.TagSarSegmentSeqnum)
	TagNetworkErrorCode     = uint16(pdutlv.TagNetworkErrorCode)
	TagMessagePayload       = uint16(pdutlv.TagMessagePayload)
	TagDeliveryFailure      = uint16(pdutlv.TagDeliveryFailureReason)
	TagMoreMessagesToSend   = uint16(pdutlv.TagMoreMessagesToSend)
	TagMessageState         = uint16(pdutlv.TagMessageStateOption)

	// TagInterfaceVersion is sc_interface_version, by which a centre names its SMPP version in a bind response.
	TagInterfaceVersion uint16 = 0x0210
	// TagCongestionState is congestion_state of SMPP 5.0, 0 to 100.
	TagCongestionState uint16 = 0x0428

	// TagDLTEntity, TagDLTTemplate and TagDLTTelemarketer carry what Indian operators check against their ledgers: the
	// sender's principal entity, the registered template, and the telemarketer or the hash of the chain of them. They are
	// vendor tags, and the customary ones only: an operator may name others.
	TagDLTEntity       uint16 = 0x1400
	TagDLTTemplate     uint16 = 0x1401
	TagDLTTelemarketer uint16 = 0x1402
)

// Bits of esm_class (SMPP 3.4, section 5.2.12).
const (
	ESMModeMask          byte = 0x03 // messaging mode
	ESMStoreAndForward   byte = 0x03
	ESMTypeMask          byte = 0x3C // message type
	ESMReceipt           byte = 0x04 // the message is the centre's delivery receipt
	ESMDeliveryAck       byte = 0x08 // acknowledgement by the handset
	ESMUserAck           byte = 0x10 // acknowledgement by the person
	ESMIntermediate      byte = 0x20 // intermediate notification
	ESMUserDataHeader    byte = 0x40 // short_message starts with a user data header
	ESMReplyPath         byte = 0x80
	RegisteredBoth       byte = 0x01 // registered_delivery: a receipt for success and for failure
	RegisteredFailure    byte = 0x02 // registered_delivery: a receipt for failure only
	RegisteredMask       byte = 0x03
	RegisteredIntermed   byte = 0x10 // registered_delivery: intermediate notifications too
	InterfaceVersion34   byte = 0x34
	InterfaceVersion50   byte = 0x50
	DataCodingDefault    byte = 0x00 // the centre's default alphabet
	DataCodingASCII      byte = 0x01
	DataCodingLatin1     byte = 0x03
	DataCodingBinary     byte = 0x04
	DataCodingUCS2       byte = 0x08
	TONUnknown           byte = 0x00
	TONInternational     byte = 0x01
	TONNational          byte = 0x02
	TONAlphanumeric      byte = 0x05
	NPIUnknown           byte = 0x00
	NPIISDN              byte = 0x01
	NetworkGSM           byte = 0x03 // network type in network_error_code
	NetworkErrorCodeSize      = 3
)

// MessageState is the state of a message in the centre, as TLV message_state carries it (SMPP 3.4, section 5.2.28).
type MessageState byte

// The states; Scheduled and Skipped are SMPP 5.0's.
const (
	StateScheduled     MessageState = 0
	StateEnroute       MessageState = 1
	StateDelivered     MessageState = 2
	StateExpired       MessageState = 3
	StateDeleted       MessageState = 4
	StateUndeliverable MessageState = 5
	StateAccepted      MessageState = 6
	StateUnknown       MessageState = 7
	StateRejected      MessageState = 8
	StateSkipped       MessageState = 9
)

var stateNames = [...]string{"SCHEDULED", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "SKIPPED"}

// String is the state as the stat field of a receipt's text writes it (SMPP 3.4, appendix B); a state that the
// specification does not know is "UNKNOWN".
func (s MessageState) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return stateNames[StateUnknown]
}
