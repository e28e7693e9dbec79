package worker

import (
	"strconv"

	"pukar/campaign"
	"pukar/smpp"
	"pukar/smpp/coding"
	"pukar/smpp/pdu"
	"pukar/templates"
)

// letter is the message of one recipient, ready for the wire.
type letter struct {
	seq    int32
	msisdn int64
	key    int64
	skip   string // why it cannot be rendered, "" when it can
	parts  []pdu.SubmitSM
}

// postmaster renders the letters of one run.
type postmaster struct {
	run      *campaign.Run
	template *templates.Template
	route    *Route
	tlvs     map[string][]pdu.TLV // by DLT template id
}

func newPostmaster(run *campaign.Run, template *templates.Template, route *Route) *postmaster {
	return &postmaster{run: run, template: template, route: route, tlvs: dltParameters(template, route)}
}

// dltParameters are the optional parameters that Indian operators check against their ledgers, on every
// part: the principal entity, the content template and, where the route names one, the telemarketer.
// Tags and lengths are the route's, because operators differ.
func dltParameters(template *templates.Template, route *Route) map[string][]pdu.TLV {
	dlt := route.Config.DLT
	byTemplate := make(map[string][]pdu.TLV, len(template.Languages))
	for _, text := range template.Languages {
		tlvs := []pdu.TLV{
			{Tag: dlt.EntityTag, Value: []byte(template.DLT.EntityID)},
			{Tag: dlt.TemplateTag, Value: []byte(text.TemplateID)},
		}
		if telemarketer := dlt.Telemarketer(template.DLT.EntityID); telemarketer != "" {
			tlvs = append(tlvs, pdu.TLV{Tag: dlt.TelemarketerTag, Value: []byte(telemarketer)})
		}
		byTemplate[text.TemplateID] = tlvs
	}
	return byTemplate
}

// write renders and encodes the letter of a recipient. The reference is the same whenever the same letter
// is written again, so that a part sent later joins those already there.
func (p *postmaster) write(r *campaign.Recipient) letter {
	l := letter{seq: r.Seq, msisdn: r.MSISDN, key: r.Key}
	text, templateID, err := p.template.Render(r.Language, r.Vars)
	if err != nil {
		l.skip = err.Error()
		return l
	}
	encoded := coding.Encode(text, coding.Reference(r.Key, p.run.ID))
	if len(encoded.Payloads) == 0 {
		l.skip = "the text needs more than " + strconv.Itoa(coding.MaxParts) + " parts"
		return l
	}
	message := pdu.SubmitSM{
		SourceTON: pdu.TONAlphanumeric, Source: p.template.Header,
		DestTON: pdu.TONInternational, DestNPI: pdu.NPIISDN, Destination: strconv.FormatInt(r.MSISDN, 10),
		DataCoding: encoded.DataCoding, TLVs: p.tlvs[templateID],
	}
	if encoded.UDHI {
		message.ESMClass |= pdu.ESMUserDataHeader
	}
	if p.run.Receipts {
		message.RegisteredDelivery = 1 // SMPP 3.4 section 5.2.17: on success and on failure
	}
	l.parts = make([]pdu.SubmitSM, len(encoded.Payloads))
	for i, payload := range encoded.Payloads {
		l.parts[i] = message
		l.parts[i].ShortMessage = payload
	}
	return l
}

// resultOf says in the ledger's words what became of a part.
func resultOf(outcome smpp.Outcome) campaign.Result {
	switch outcome {
	case smpp.Accepted:
		return campaign.Accepted
	case smpp.Refused:
		return campaign.Refused
	case smpp.Throttled:
		return campaign.Throttled
	case smpp.Transient:
		return campaign.Transient
	case smpp.NotSent:
		return campaign.NotSent
	}
	return campaign.InDoubt
}
