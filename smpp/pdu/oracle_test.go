package pdu

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strconv"
	"testing"

	gopdu "github.com/fiorix/go-smpp/smpp/pdu"
	"github.com/fiorix/go-smpp/smpp/pdu/pdufield"
	"github.com/fiorix/go-smpp/smpp/pdu/pdutlv"
	"github.com/google/go-cmp/cmp"
	otherpdu "github.com/linxGnu/gosmpp/pdu"
	"pgregory.net/rapid"
)

func drawText(t *rapid.T, label string, limit int) string {
	return rapid.StringMatching(`[ -~]{0,`+strconv.Itoa(limit)+`}`).Draw(t, label)
}

// drawMessage draws the fields of a message with tags that differ and, so that every oracle can read it, no user data header.
func drawMessage(t *rapid.T, tlvs int) SubmitSM {
	octet := func(label string) byte { return rapid.Byte().Draw(t, label) }
	m := SubmitSM{
		ServiceType: drawText(t, "service", MaxServiceType),
		SourceTON:   octet("ston"), SourceNPI: octet("snpi"), Source: drawText(t, "source", MaxAddress),
		DestTON: octet("dton"), DestNPI: octet("dnpi"), Destination: drawText(t, "destination", MaxAddress),
		ESMClass: octet("esm") &^ ESMUserDataHeader, ProtocolID: octet("pid"), Priority: octet("priority"),
		ScheduleTime: drawText(t, "schedule", MaxTime), ValidityPeriod: drawText(t, "validity", MaxTime),
		RegisteredDelivery: octet("registered"), ReplaceIfPresent: octet("replace"),
		DataCoding: octet("coding"), DefaultMessageID: octet("default"),
		ShortMessage: rapid.SliceOfN(rapid.Byte(), 0, MaxShortMessage).Draw(t, "text"),
	}
	tags := rapid.SliceOfNDistinct(rapid.Uint16(), 0, tlvs, rapid.ID[uint16]).Draw(t, "tags")
	for _, tag := range tags {
		m.TLVs = append(m.TLVs, TLV{tag, rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "value")})
	}
	return m
}

func fillOracle(body gopdu.Body, m *SubmitSM) {
	f := body.Fields()
	for name, value := range map[pdufield.Name]any{
		pdufield.ServiceType: m.ServiceType, pdufield.SourceAddrTON: m.SourceTON, pdufield.SourceAddrNPI: m.SourceNPI,
		pdufield.SourceAddr: m.Source, pdufield.DestAddrTON: m.DestTON, pdufield.DestAddrNPI: m.DestNPI,
		pdufield.DestinationAddr: m.Destination, pdufield.ESMClass: m.ESMClass, pdufield.ProtocolID: m.ProtocolID,
		pdufield.PriorityFlag: m.Priority, pdufield.ScheduleDeliveryTime: m.ScheduleTime, pdufield.ValidityPeriod: m.ValidityPeriod,
		pdufield.RegisteredDelivery: m.RegisteredDelivery, pdufield.ReplaceIfPresentFlag: m.ReplaceIfPresent,
		pdufield.DataCoding: m.DataCoding, pdufield.SMDefaultMsgID: m.DefaultMessageID, pdufield.ShortMessage: m.ShortMessage,
	} {
		if err := f.Set(name, value); err != nil {
			panic(err)
		}
	}
	for _, tlv := range m.TLVs {
		if err := body.TLVFields().Set(pdutlv.Tag(tlv.Tag), tlv.Value); err != nil {
			panic(err)
		}
	}
}

func oracleBytes(t *rapid.T, body gopdu.Body, sequence uint32) []byte {
	body.Header().Seq = sequence
	var b bytes.Buffer
	if err := body.SerializeTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sameOctets(t *rapid.T, want, got []byte) {
	if !bytes.Equal(want, got) {
		t.Fatalf("octets (-want +got):\n%s", cmp.Diff(hex.Dump(want), hex.Dump(got)))
	}
}

// TestSameOctetsAsGoSMPP holds the encoder to go-smpp's octets. Its TLVs come in the order of a Go map, so one at most is used.
func TestSameOctetsAsGoSMPP(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage(t, 1)
		sequence := rapid.Uint32Range(1, MaxSequence).Draw(t, "sequence")
		submit := gopdu.NewSubmitSM(nil)
		fillOracle(submit, &m)
		got, err := m.Append(nil, sequence)
		if err != nil {
			t.Fatal(err)
		}
		sameOctets(t, oracleBytes(t, submit, sequence), got)

		// go-smpp writes two fields of a user data header into deliver_sm, header or not: emptied here.
		deliver := gopdu.NewDeliverSM()
		fillOracle(deliver, &m)
		deliver.Fields()[pdufield.UDHLength] = &pdufield.SM{}
		deliver.Fields()[pdufield.GSMUserData] = &pdufield.SM{}
		d := DeliverSM(m)
		if got, err = d.Append(nil, sequence); err != nil {
			t.Fatal(err)
		}
		sameOctets(t, oracleBytes(t, deliver, sequence), got)

		resp := gopdu.NewSubmitSMResp()
		id := drawText(t, "message id", MaxMessageID)
		_ = resp.Fields().Set(pdufield.MessageID, id)
		sameOctets(t, oracleBytes(t, resp, sequence), (&SubmitSMResp{MessageID: id}).Append(nil, StatusOK, sequence))

		status := Status(rapid.Uint32().Draw(t, "status"))
		ack := gopdu.NewDeliverSMResp()
		ack.Header().Status = status
		sameOctets(t, oracleBytes(t, ack, sequence), (&DeliverSMResp{}).Append(nil, status, sequence))

		bind := Bind{
			SystemID: drawText(t, "system id", MaxSystemID), Password: drawText(t, "password", MaxPassword),
			SystemType: drawText(t, "system type", MaxSystemType), InterfaceVersion: 0x34,
			AddrTON: rapid.Byte().Draw(t, "ton"), AddrNPI: rapid.Byte().Draw(t, "npi"), AddressRange: drawText(t, "range", MaxAddressRange),
		}
		ours := gopdu.NewBindTransmitter()
		for name, value := range map[pdufield.Name]any{
			pdufield.SystemID: bind.SystemID, pdufield.Password: bind.Password, pdufield.SystemType: bind.SystemType,
			pdufield.InterfaceVersion: bind.InterfaceVersion, pdufield.AddrTON: bind.AddrTON, pdufield.AddrNPI: bind.AddrNPI,
			pdufield.AddressRange: bind.AddressRange,
		} {
			_ = ours.Fields().Set(name, value)
		}
		if got, err = bind.Append(nil, BindTransmitterID, sequence); err != nil {
			t.Fatal(err)
		}
		sameOctets(t, oracleBytes(t, ours, sequence), got)

		enquire := gopdu.NewEnquireLink()
		sameOctets(t, oracleBytes(t, enquire, sequence), AppendHeaderOnly(nil, EnquireLinkID, StatusOK, sequence))
	})
}

// TestGosmppReadsTheSame has a second, independent library read what was encoded.
func TestGosmppReadsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage(t, 5)
		m.ScheduleTime, m.ReplaceIfPresent, m.DataCoding = "", 0, 0
		sequence := rapid.Uint32Range(1, MaxSequence).Draw(t, "sequence")
		b, err := m.Append(nil, sequence)
		if err != nil {
			t.Fatal(err)
		}
		read, err := otherpdu.Parse(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		s, ok := read.(*otherpdu.SubmitSM)
		if !ok {
			t.Fatalf("read as %T", read)
		}
		text, err := s.Message.GetMessageData()
		if err != nil {
			t.Fatal(err)
		}
		got := SubmitSM{
			ServiceType: s.ServiceType, SourceTON: s.SourceAddr.Ton(), SourceNPI: s.SourceAddr.Npi(), Source: s.SourceAddr.Address(),
			DestTON: s.DestAddr.Ton(), DestNPI: s.DestAddr.Npi(), Destination: s.DestAddr.Address(),
			ESMClass: s.EsmClass, ProtocolID: s.ProtocolID, Priority: s.PriorityFlag, ScheduleTime: s.ScheduleDeliveryTime,
			ValidityPeriod: s.ValidityPeriod, RegisteredDelivery: s.RegisteredDelivery, ReplaceIfPresent: s.ReplaceIfPresentFlag,
			DefaultMessageID: s.Message.SmDefaultMsgID, ShortMessage: text,
		}
		for tag, field := range s.OptionalParameters {
			got.TLVs = append(got.TLVs, TLV{uint16(tag), field.Data})
		}
		byTag := func(a, b TLV) int { return int(a.Tag) - int(b.Tag) }
		slices.SortFunc(m.TLVs, byTag)
		slices.SortFunc(got.TLVs, byTag)
		same := cmp.Transformer("empty", func(b []byte) string { return string(b) })
		if diff := cmp.Diff(m, got, same); diff != "" {
			t.Fatalf("submit_sm (-want +got):\n%s", diff)
		}
		if uint32(read.GetSequenceNumber()) != sequence {
			t.Fatalf("sequence %d, want %d", read.GetSequenceNumber(), sequence)
		}
	})
}
