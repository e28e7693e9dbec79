package worker

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

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
// part: the principal entity, the content template and, where the route names one, the telemarketer or
// the hash of the chain of telemarketers. The tags are the route's, because operators differ.
func dltParameters(template *templates.Template, route *Route) map[string][]pdu.TLV {
	dlt := route.Config.DLT
	entity := cmp.Or(template.DLT.EntityID, dlt.EntityID)
	telemarketer := dlt.TelemarketerID
	if telemarketer == "" && len(dlt.Chain) > 0 {
		telemarketer = chainHash(entity, dlt.Chain)
	}
	byTemplate := make(map[string][]pdu.TLV, len(template.Languages))
	for _, text := range template.Languages {
		var tlvs []pdu.TLV
		for _, p := range []struct {
			tag   int
			value string
		}{{dlt.Tags.EntityID, entity}, {dlt.Tags.TemplateID, text.TemplateID}, {dlt.Tags.Chain, telemarketer}} {
			if p.value != "" {
				tlvs = append(tlvs, pdu.TLV{Tag: uint16(p.tag), Value: []byte(p.value)})
			}
		}
		byTemplate[text.TemplateID] = tlvs
	}
	return byTemplate
}

// chainHash is the SHA-256, in lower-case hexadecimal, of the ids of the entity and of every telemarketer
// up to the operator, joined by commas: what the last of them submits (operators' PE-TM chain binding).
func chainHash(entity string, chain []string) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{entity}, chain...), ",")))
	return hex.EncodeToString(sum[:])
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
		SourceTON: byte(p.route.Config.SourceTON), SourceNPI: byte(p.route.Config.SourceNPI),
		Source:  cmp.Or(p.template.Header, p.route.Config.Header),
		DestTON: byte(p.route.Config.DestTON), DestNPI: byte(p.route.Config.DestNPI), Destination: strconv.FormatInt(r.MSISDN, 10),
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

// resultOf says in the ledger's words what became of a part. A full queue holds the bind back as a throttle
// does, but it may be that of one handset that is off for weeks: it counts as an attempt.
func resultOf(outcome smpp.Outcome, status pdu.Status) campaign.Result {
	if outcome == smpp.Throttled && status == pdu.StatusMessageQueueFull {
		return campaign.Transient
	}
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
