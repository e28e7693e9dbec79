package campaign

import (
	"fmt"
	"strings"
	"time"

	"pukar/audience"
	"pukar/templates"
)

// RouteTerms is what a campaign must know of the route that it goes by.
type RouteTerms struct {
	Name           string
	Simulated      bool             // leads to no real handset: the only kind that invented people may go to
	Receipts       bool             // whether receipts come back
	INRPerPart     templates.Rupees // price of a part
	PartsPerSecond float64          // the route's rate, 0 for none
	Window         int              // submits in flight, all binds together
	BindsPerSecond float64          // the rates of the binds that submit together, 0 where one of them has none
	SlowestBind    float64          // the lowest of those rates, 0 where none has one
}

// arguments collects the parameters of a statement.
type arguments struct{ values []any }

// add answers the placeholder under which the value is passed.
func (a *arguments) add(value any) string {
	a.values = append(a.values, value)
	return fmt.Sprintf("$%d", len(a.values))
}

// selection is one query that decides about everybody whom a campaign targets: who gets a message in
// which language and with which values, and who is left out and why. Plan and freeze share it, so what
// was planned is what is sent.
type selection struct {
	sql  string // WITH clause that ends in decided(id, msisdn, msisdn_key, language, vars, home_state, home_district, reason)
	args arguments
}

// Reasons for which somebody is left out when a run is frozen. missing_variable names the variable.
const (
	reasonSuppressed     = "suppressed"
	reasonNoConsent      = "no_consent"
	reasonConsentUnknown = "consent_unknown"
	reasonUnder18        = "under_18"
	reasonInvented       = "invented"
	reasonMissing        = "missing_variable:"
	reasonDuplicate      = "duplicate_number"
	reasonContactCap     = "contact_cap"
)

// PostgreSQL cannot tell how many people a rule leaves, takes them for one, and would read through all
// districts for each of them: nested loops cost a freeze four times what it needs.
const sqlNoNestedLoops = `SET LOCAL enable_nestloop = off`

// selectPeople builds the selection. The order of the reasons is that of their weight: a stop comes first
// whatever else is true of a person. Of several people with one number the first in the register gets the
// message, if nothing else speaks against her.
func selectPeople(spec *Spec, template *templates.Template, route RouteTerms, key cohortCompiler, on time.Time) (*selection, error) {
	s := &selection{}
	predicate, err := key.compile(spec.Audience, on, 1)
	if err != nil {
		return nil, err
	}
	s.args.values = append(s.args.values, predicate.Args...)
	codes := s.args.add(template.LanguageCodes())
	fallback := s.args.add(template.FallbackLanguage)
	purpose := s.args.add(spec.Purpose)
	today := s.args.add(on.In(India).Format(time.DateOnly))

	reasons := []string{
		"WHEN " + fmt.Sprintf(audience.SuppressedSQL, "c.msisdn_key", purpose) + " THEN '" + reasonSuppressed + "'",
		"WHEN c.consent_sms IS FALSE THEN '" + reasonNoConsent + "'",
		"WHEN " + audience.UnderAgeSQL(today+"::date") + " THEN '" + reasonUnder18 + "'",
	}
	if template.Category == templates.Promotional {
		reasons = append(reasons, "WHEN c.consent_sms IS NULL THEN '"+reasonConsentUnknown+"'")
	}
	if !route.Simulated {
		reasons = append(reasons, "WHEN c.invented THEN '"+reasonInvented+"'")
	}
	values := make([]string, 0, len(template.Variables))
	for i, v := range template.Variables {
		text, ok := audience.FieldText(v.Field, "l.language")
		if !ok {
			return nil, invalid("template %s: variable %q is not a field of a contact", template.Name, v.Field)
		}
		if v.HasDefault || len(v.Defaults) > 0 {
			text = "coalesce(" + text + ", " + s.defaultOf(template, v) + ")"
		}
		values = append(values, text)
		reasons = append(reasons, fmt.Sprintf("WHEN v.vars[%d] IS NULL THEN %s", i+1, s.args.add(reasonMissing+v.Field)))
	}
	if limit := spec.PerContact; !limit.IsZero() {
		reached := fmt.Sprintf(sqlReached, "c.msisdn", s.args.add(limit.Messages), s.args.add(limit.Period), "true")
		reasons = append(reasons, "WHEN "+reached+" THEN '"+reasonContactCap+"'") // the last, because it costs most
	}
	// Materialised, because a reason that is inlined is worked out anew wherever it is asked for.
	s.sql = `
WITH judged AS MATERIALIZED (
    SELECT c.id, c.msisdn, c.msisdn_key, c.home_state, c.home_district, l.language, v.vars,
           CASE ` + strings.Join(reasons, "\n                ") + ` END AS reason
    FROM contact c` + audience.FieldJoins + `
    CROSS JOIN LATERAL (SELECT CASE WHEN c.language = ANY (` + codes + `) THEN c.language ELSE ` + fallback + ` END AS language) l
    CROSS JOIN LATERAL (SELECT ARRAY[` + strings.Join(values, ", ") + `]::text[] AS vars) v
    WHERE ` + predicate.Eligible() + `
), decided AS (
    SELECT id, msisdn, msisdn_key, language, vars, home_state, home_district,
           CASE WHEN reason IS NULL AND row_number() OVER (PARTITION BY msisdn, reason IS NULL ORDER BY id) > 1
                THEN '` + reasonDuplicate + `' ELSE reason END AS reason
    FROM judged
)`
	return s, nil
}

// defaultOf is the SQL of a variable's default in the recipient's language.
func (s *selection) defaultOf(template *templates.Template, v templates.Variable) string {
	var b strings.Builder
	b.WriteString("CASE l.language")
	for _, code := range template.LanguageCodes() {
		if text, ok := v.DefaultIn(code); ok {
			fmt.Fprintf(&b, " WHEN %s THEN %s", s.args.add(code), s.args.add(text))
		}
	}
	b.WriteString(" END")
	return b.String()
}
