package worker

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp"
	"pukar/smpp/coding"
	"pukar/smpp/pdu"
	"pukar/templates"
)

// TestChainHash uses the ids of an operator's manual; the sums were computed apart from this program.
func TestChainHash(t *testing.T) {
	t.Parallel()
	const entity, middle, last = "1101172974420810001", "1101172974420820002", "1101172974420830004"
	tests := []struct {
		name  string
		chain []string
		want  string
	}{
		{"the last telemarketer alone", []string{last}, "c0c951afca257c5b87c3da535c09112080483f35b7e6faf35e2428b3b526b694"},
		{"one in between", []string{middle, last}, "ba38bbe4ab3780a70aad6071c006e720eed8efc1ff70b00691d3b6844e6497e2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := chainHash(entity, test.chain); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

var letterTemplate = mustTemplate(`
name: intro
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name, home_district]
fallback_language: en
languages:
  hi: {template_id: "1107172974420810001", text: "नमस्ते {#alphanumeric#}, {#alphanumeric#} के आपके राशन कार्ड पर अब जहाँ आप काम करते हैं वहीं राशन मिलेगा। मदद: 1800-891-2995 पर पूछें।"}
  en: {template_id: "1107172974420810002", text: "Dear {#alphanumeric#} of {#alphanumeric#}, your ration card works where you work: 1800-891-2995"}
`)

// mustTemplate parses a template that is known to be good.
func mustTemplate(source string) *templates.Template {
	t, err := templates.Parse([]byte(source))
	if err != nil {
		panic(err)
	}
	return t
}

var tags = config.Tags{EntityID: 0x1400, TemplateID: 0x1401, Chain: 0x1402}

// postmasterFor makes a postmaster for a route with the given settings.
func postmasterFor(c config.Route, receipts bool) *postmaster {
	return newPostmaster(&campaign.Run{ID: 7, Receipts: receipts}, letterTemplate, &Route{Config: c})
}

func TestDLTParameters(t *testing.T) {
	t.Parallel()
	const entity, hindi = "1101172974420810001", "1107172974420810001"
	tests := []struct {
		name string
		dlt  config.DLT
		want []pdu.TLV
	}{
		{"entity and template", config.DLT{Tags: tags}, []pdu.TLV{{Tag: 0x1400, Value: []byte(entity)}, {Tag: 0x1401, Value: []byte(hindi)}}},
		{"the telemarketer", config.DLT{Tags: tags, TelemarketerID: "1102", Chain: []string{"1101172974420830004"}}, []pdu.TLV{
			{Tag: 0x1400, Value: []byte(entity)}, {Tag: 0x1401, Value: []byte(hindi)}, {Tag: 0x1402, Value: []byte("1102")},
		}},
		{"the chain's hash", config.DLT{Tags: tags, Chain: []string{"1101172974420830004"}}, []pdu.TLV{
			{Tag: 0x1400, Value: []byte(entity)}, {Tag: 0x1401, Value: []byte(hindi)},
			{Tag: 0x1402, Value: []byte("c0c951afca257c5b87c3da535c09112080483f35b7e6faf35e2428b3b526b694")},
		}},
		{"the template's entity before the route's, and other tags", config.DLT{EntityID: "99", Tags: config.Tags{EntityID: 0x1500, TemplateID: 0x1501, Chain: 0x1502}}, []pdu.TLV{
			{Tag: 0x1500, Value: []byte(entity)}, {Tag: 0x1501, Value: []byte(hindi)},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := postmasterFor(config.Route{DLT: test.dlt}, true).write(&campaign.Recipient{Seq: 1, MSISDN: 919800000001, Language: "hi", Vars: []string{"Asha", "पटना"}})
			if len(l.parts) < 2 {
				t.Fatalf("%d parts, want several", len(l.parts))
			}
			for i, part := range l.parts {
				if diff := cmp.Diff(test.want, part.TLVs); diff != "" {
					t.Errorf("part %d: %s", i+1, diff)
				}
			}
		})
	}
}

func TestWriteLetter(t *testing.T) {
	t.Parallel()
	route := config.Route{Header: "ROUTES", SourceTON: 5, SourceNPI: 0, DestTON: 1, DestNPI: 1, DLT: config.DLT{Tags: tags}}
	post := postmasterFor(route, true)
	asha := &campaign.Recipient{Seq: 3, MSISDN: 919800000003, Key: 12345, Language: "en", Vars: []string{"Asha", "Patna"}}
	l := post.write(asha)
	if l.seq != 3 || l.msisdn != asha.MSISDN || l.key != asha.Key || l.skip != "" || len(l.parts) != 1 {
		t.Fatalf("the letter is %+v", l)
	}
	want := pdu.SubmitSM{
		SourceTON: 5, Source: "HELPLN", DestTON: 1, DestNPI: 1, Destination: "919800000003", RegisteredDelivery: 1,
		ShortMessage: []byte("Dear Asha of Patna, your ration card works where you work: 1800-891-2995"),
		TLVs:         []pdu.TLV{{Tag: 0x1400, Value: []byte("1101172974420810001")}, {Tag: 0x1401, Value: []byte("1107172974420810002")}},
	}
	if diff := cmp.Diff(want, l.parts[0]); diff != "" {
		t.Error(diff)
	}
	if silent := postmasterFor(route, false).write(asha); silent.parts[0].RegisteredDelivery != 0 {
		t.Error("a receipt is asked for where none comes")
	}

	// A long one is joined by a reference that stays the same however often it is written.
	hindi := *asha
	hindi.Language, hindi.Vars = "hi", []string{"Asha", "पटना"}
	once, again := post.write(&hindi), post.write(&hindi)
	var text strings.Builder
	for i, part := range once.parts {
		if part.ESMClass&pdu.ESMUserDataHeader == 0 || part.DataCoding != coding.DataCodingUCS2 {
			t.Errorf("part %d has esm_class %x and data_coding %d", i+1, part.ESMClass, part.DataCoding)
		}
		if !bytes.Equal(part.ShortMessage, again.parts[i].ShortMessage) {
			t.Errorf("part %d is another when it is written again", i+1)
		}
		piece, concat, err := coding.Decode(part.DataCoding, true, part.ShortMessage)
		if err != nil || int(concat.Sequence) != i+1 || int(concat.Total) != len(once.parts) {
			t.Errorf("part %d reads as %+v, %v", i+1, concat, err)
		}
		text.WriteString(piece)
	}
	if !strings.HasPrefix(text.String(), "नमस्ते Asha, पटना के") || !strings.HasSuffix(text.String(), "पूछें।") {
		t.Errorf("the text is %q", text.String())
	}

	for name, bad := range map[string]campaign.Recipient{
		"a value that does not fit its tag": {Seq: 4, Language: "en", Vars: []string{strings.Repeat("x", 41), "Patna"}},
		"a language that is not there":      {Seq: 4, Language: "ta", Vars: []string{"Asha", "Patna"}},
		"too few values":                    {Seq: 4, Language: "en", Vars: []string{"Asha"}},
	} {
		if l := post.write(&bad); l.skip == "" || len(l.parts) != 0 || l.seq != 4 {
			t.Errorf("%s: the letter is %+v", name, l)
		} else if strings.Contains(l.skip, "xxx") {
			t.Errorf("%s: the reason holds the value: %q", name, l.skip)
		}
	}
}

func TestHeaderOfTheRoute(t *testing.T) {
	t.Parallel()
	bare := *letterTemplate
	bare.Header = ""
	post := newPostmaster(&campaign.Run{ID: 7}, &bare, &Route{Config: config.Route{Header: "ROUTES"}})
	l := post.write(&campaign.Recipient{Language: "en", Vars: []string{"Asha", "Patna"}})
	if l.parts[0].Source != "ROUTES" {
		t.Errorf("the sender is %q, want the route's", l.parts[0].Source)
	}
}

func TestResultOf(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[smpp.Outcome]campaign.Result{
		smpp.Accepted: campaign.Accepted, smpp.Refused: campaign.Refused, smpp.Throttled: campaign.Throttled, smpp.Transient: campaign.Transient,
		smpp.NotSent: campaign.NotSent, smpp.Unknown: campaign.InDoubt, 0: campaign.InDoubt, 99: campaign.InDoubt,
	} {
		for _, status := range []pdu.Status{pdu.StatusOK, pdu.StatusThrottled, pdu.StatusSystemError} {
			if got := resultOf(outcome, status); got != want {
				t.Errorf("%s with status 0x%X is %s, want %s", outcome, uint32(status), got, want)
			}
		}
	}
	// A queue that is full may be that of one handset: it must not be tried for ever.
	if got := resultOf(smpp.Throttled, pdu.StatusMessageQueueFull); got != campaign.Transient {
		t.Errorf("a full queue is %s, want %s", got, campaign.Transient)
	}
}
