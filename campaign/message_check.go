package campaign

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"pukar/audience"
	"pukar/smpp/coding"
	"pukar/templates"
)

const (
	longestKey     = 100
	longestPurpose = 200
)

// checkForm fills in what was left out and refuses what can never be asked for, without looking at anything
// that may change: a request that passed once passes again.
func (m *MessageRequest) checkForm() (msisdn int64, err error) {
	if err := CheckMessageKey(m.Key); err != nil {
		return 0, err
	}
	if msisdn, err = audience.ParseNumber(m.To); err != nil {
		return 0, invalid("to: %s", err)
	}
	m.Purpose = strings.TrimSpace(m.Purpose)
	if len(m.Variables) == 0 {
		m.Variables = nil // as if it had been left out
	}
	switch {
	case m.Template == "":
		return 0, invalid("template: missing: name a template of `pukar template list`")
	case m.Route == "":
		return 0, invalid("route: missing: name a route of `pukar route list`")
	case m.Purpose == "":
		return 0, invalid("purpose: missing: say in a few words what people are contacted for; who said stop to it gets nothing")
	case utf8.RuneCountInString(m.Purpose) > longestPurpose || !printable(m.Purpose):
		return 0, invalid("purpose: write at most %d printable characters", longestPurpose)
	}
	for _, text := range []string{m.Template, m.Route, m.Language} {
		if !printable(text) {
			return 0, invalid("template, route and language: write printable characters")
		}
	}
	if m.ValidFor == 0 {
		m.ValidFor = DefaultValidFor
	}
	if m.ValidFor < LeastValidFor || m.ValidFor > MostValidFor {
		return 0, invalid("valid_for: %s: write a time from %.0fm to %.0fh, such as 24h", m.ValidFor, LeastValidFor.Minutes(), MostValidFor.Hours())
	}
	return msisdn, nil
}

// CheckMessageKey refuses what cannot be the key of a message. It is ASCII, because it travels in headers and
// addresses, where "." and ".." mean something else.
func CheckMessageKey(key string) error {
	wrong := len(key) > longestKey || key == "" || key == "." || key == ".." || strings.TrimSpace(key) != key
	for i := range len(key) {
		wrong = wrong || key[i] < ' ' || key[i] > '~'
	}
	if wrong {
		return invalid("key: give this message a key of your own of 1 to %d printable ASCII characters, without a space at either end, such as grievance-4711-closed; the same key again is the same message", longestKey)
	}
	return nil
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// draft is a message that may be written: everything that its run is made of.
type draft struct {
	Message
	digest []byte
	key    int64 // keyed hash of the number
	spec   Spec
	terms  RouteTerms
	vars   []string
	person person
	hinted bool // its hint was given in the transaction that writes it
}

// draft looks at everything that a message names and refuses it before anything is written.
func (s *Service) draft(ctx context.Context, ask *MessageRequest, msisdn int64, actor string) (*draft, error) {
	now := s.Now()
	terms, ok := s.Routes[ask.Route]
	if !ok {
		return nil, invalid("route: there is no route %q: the configuration has %s", ask.Route, s.routeNames())
	}
	version, err := s.templates.Get(ctx, ask.Template)
	if errors.Is(err, templates.ErrNotFound) {
		return nil, invalid("template: there is no template %q: add it with `pukar template add FILE`", ask.Template)
	}
	if err != nil {
		return nil, err
	}
	template := version.Template
	d := &draft{key: s.Key.Number(msisdn), terms: terms}
	d.Message = Message{
		Key: ask.Key, Template: template.Name, Version: version.Version, Route: terms.Name, Purpose: ask.Purpose, To: msisdn,
		Actor: actor, At: now, ExpiresAt: now.Add(ask.ValidFor), RunState: RunRunning, category: template.Category,
	}
	d.spec = Spec{
		Name: MessagesCampaign, Purpose: ask.Purpose, SMS: SMSStep{Template: template.Name, Route: terms.Name},
		Window: AlwaysWindow(), Priority: "urgent", OnUnknown: "hold", ReceiptWait: messageReceiptWait,
	}
	if d.digest, err = ask.digest(d.key); err != nil {
		return nil, err
	}
	if d.person, err = s.judge(ctx, msisdn, template, terms, ask.Purpose, now); err != nil {
		return nil, err
	}
	if d.Language, err = chooseLanguage("language", template, ask.Language, d.person.language); err != nil {
		return nil, err
	}
	if d.vars, err = valuesOf(template, d.Language, ask.Variables); err != nil {
		return nil, err
	}
	if d.Parts, err = partsOf(template, d.Language, d.vars); err != nil {
		return nil, err
	}
	if err := keepsUp(&d.spec, template, terms); err != nil {
		return nil, err
	}
	if d.waits(now); d.WaitingUntil != nil && !d.WaitingUntil.Before(d.ExpiresAt) {
		return nil, invalid("valid_for: %s messages may not leave before %s, when this one has lapsed: give it a longer valid_for, or send it then",
			template.Category, d.WaitingUntil.In(India).Format(time.RFC3339))
	}
	d.CostINR = terms.INRPerPart.Times(int64(d.Parts)).String()
	return d, nil
}

// messageReceiptWait is how long the receipt of a message is awaited, as for campaigns that say nothing.
const messageReceiptWait = 72 * time.Hour

// valuesOf puts the given values into the order of the template's variables.
func valuesOf(template *templates.Template, language string, given map[string]string) ([]string, error) {
	values := make([]string, len(template.Variables))
	unknown := maps.Clone(given)
	var missing, known []string
	for i, v := range template.Variables {
		delete(unknown, v.Field)
		known = append(known, v.Field)
		values[i] = strings.TrimSpace(given[v.Field])
		if values[i] != "" {
			continue
		}
		var ok bool
		if values[i], ok = v.DefaultIn(language); !ok && !slices.Contains(missing, v.Field) {
			missing = append(missing, v.Field)
		}
	}
	switch {
	case len(unknown) > 0 && len(known) == 0:
		return nil, invalid("variables: template %s has none: leave out %s", template.Name, strings.Join(slices.Sorted(maps.Keys(unknown)), ", "))
	case len(unknown) > 0:
		return nil, invalid("variables: template %s has no %s: its variables are %s",
			template.Name, strings.Join(slices.Sorted(maps.Keys(unknown)), ", "), strings.Join(known, ", "))
	case len(missing) > 0:
		return nil, invalid("variables: %s missing, and the template has no default: give a value for each", strings.Join(missing, ", "))
	}
	return values, nil
}

// partsOf renders a message as it will be sent, so that what could not be is refused at once.
func partsOf(template *templates.Template, language string, values []string) (int, error) {
	text, _, err := template.Render(language, values)
	if err != nil {
		return 0, invalid("variables: %s", err)
	}
	if _, ok := template.MatchLanguage(language, text); !ok {
		return 0, invalid("variables: the %s text does not match the registered template: operators would refuse it; give other values", language)
	}
	_, _, parts := coding.Count(text)
	if parts > coding.MaxParts {
		return 0, invalid("variables: the %s text needs %d parts; %d are the most: give shorter values", language, parts, coding.MaxParts)
	}
	return parts, nil
}

// person is who has a number in the register; the zero person is nobody.
type person struct {
	id       int64
	language string
	state    *int16
	district *int32
}

// Of several people with one number it is the first against whom nothing speaks, as when a campaign is frozen.
var sqlJudge = `
SELECT ` + fmt.Sprintf(audience.SuppressedSQL, "$2::int8", "$3::text") + `,
       coalesce(p.id, 0), coalesce(p.language, ''), p.home_state, p.home_district, coalesce(p.reason, '')
FROM (SELECT 1) one
LEFT JOIN LATERAL (
    SELECT c.id, c.language, c.home_state, c.home_district,
           CASE WHEN c.consent_sms IS FALSE THEN '` + reasonNoConsent + `'
                WHEN ` + audience.UnderAgeSQL("$4::date") + ` THEN '` + reasonUnder18 + `'
                WHEN $5::bool AND c.invented THEN '` + reasonInvented + `'
                WHEN $6::bool AND c.consent_sms IS NULL THEN '` + reasonConsentUnknown + `'
           END AS reason
    FROM contact c
    WHERE c.msisdn = $1
) p ON true
ORDER BY p.reason NULLS FIRST, p.id
LIMIT 1`

// judge refuses whom no campaign would write to either. A number that the register does not have may be
// written to, unless the category asks for consent.
func (s *Service) judge(ctx context.Context, msisdn int64, template *templates.Template, route RouteTerms, purpose string, now time.Time) (person, error) {
	var p person
	var suppressed bool
	var reason string
	promotional := template.Category == templates.Promotional
	err := s.Pool.QueryRow(ctx, sqlJudge, msisdn, s.Key.Number(msisdn), purpose, now.In(India).Format(time.DateOnly), !route.Simulated, promotional).
		Scan(&suppressed, &p.id, &p.language, &p.state, &p.district, &reason)
	if err != nil {
		return p, fmt.Errorf("look a number up: %w", err)
	}
	if suppressed {
		reason = reasonSuppressed
	}
	if p.id == 0 && promotional && reason == "" {
		reason = reasonConsentUnknown
	}
	if reason == "" {
		return p, nil
	}
	return p, &Refusal{Reason: reason, text: refusalTexts[reason] + "; nothing was stored"}
}

var refusalTexts = map[string]string{
	reasonSuppressed:     "this number said stop: `pukar optout check NUMBER` says when; only the person's own new consent lifts it (`pukar optout remove`)",
	reasonNoConsent:      "the register says that this person does not want messages (consent_sms: no): import her new consent first",
	reasonConsentUnknown: "a promotional template needs consent, and the register does not have this person's: import consent_sms: yes first, or use a template of another category",
	reasonUnder18:        "the register says that this person is under 18: write to a parent's number, or correct the age in the register",
	reasonInvented:       "this is an invented person of the demo, and the route leads to real handsets: use a route with `simulated: true`",
}
