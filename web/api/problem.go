package api

import (
	"net/http"
	"slices"
	"strings"
)

// Codes of problems. They are stable: programs may decide by them.
const (
	// CodeInvalid marks a request that cannot be served as it stands: a bad file, rule, name or value.
	CodeInvalid = "invalid"
	// CodeNotFound marks a name that nothing is known by.
	CodeNotFound = "not_found"
	// CodeConflict marks a request that the present state does not permit.
	CodeConflict = "conflict"
	// CodeRefused marks a caller that may not do what it asked for.
	CodeRefused = "refused"
	// CodeBusy marks a caller that has too much open at once.
	CodeBusy = "busy"
	// CodeUnavailable marks something that the server needs and that is away: PostgreSQL, Redis, a bind.
	CodeUnavailable = "unavailable"
	// CodeCancelled marks a request that its own caller gave up.
	CodeCancelled = "cancelled"
	// CodeInternal marks a mistake of the program itself.
	CodeInternal = "internal"
)

// Problem is an error as the interface tells it: RFC 9457 with a code, what to do about it and the request's identifier.
type Problem struct {
	// Title is the name of the status.
	Title string `json:"title" doc:"Name of the HTTP status"`
	// Status is the HTTP status.
	Status int `json:"status" doc:"HTTP status"`
	// Code tells programs what kind of problem it is.
	Code string `json:"code,omitempty" doc:"Kind of problem: invalid, not_found, conflict, refused, busy, unavailable, cancelled or internal; where a message is refused to a person: suppressed, no_consent, consent_unknown, under_18 or invented"`
	// Detail tells people what is wrong.
	Detail string `json:"detail" doc:"What is wrong"`
	// Mend tells people what to do about it.
	Mend string `json:"mend,omitempty" doc:"What to do about it"`
	// RequestID is the identifier under which the server's log has more.
	RequestID string `json:"request_id,omitempty" doc:"Identifier of the request in the server's log"`
	// Errors are the single mistakes of a request that does not fit its description.
	Errors []Mistake `json:"errors,omitempty" doc:"Single mistakes of the request"`
}

// Mistake is one value of a request that does not fit its description.
type Mistake struct {
	// Message says what is wrong.
	Message string `json:"message" doc:"What is wrong"`
	// Location says where: query.limit, body.scope.
	Location string `json:"location,omitempty" doc:"Where it is wrong"`
}

// NewProblem makes a problem of a status, a code and a text.
func NewProblem(status int, code, detail string) *Problem {
	title := http.StatusText(status)
	if title == "" {
		title = code
	}
	return &Problem{Title: title, Status: status, Code: code, Detail: detail}
}

// Error is the text for people, with the mend where there is one.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	for i, mistake := range p.Errors {
		sep := "; "
		if i == 0 && text == unreadable {
			text, sep = "", "" // the mistakes say it better
		}
		text += sep + mistake.said()
	}
	if p.Mend != "" {
		text += ": " + p.Mend
	}
	return text
}

// unreadable is what huma says of every request that breaks the document of the interface.
const unreadable = "validation failed"

// said is a mistake with the name of what is wrong before it, as in "days: expected number >= 1".
func (m Mistake) said() string {
	place, name, inside := strings.Cut(m.Location, ".")
	switch {
	case inside && slices.Contains([]string{"query", "body", "path", "header"}, place):
		return name + ": " + m.Message
	case m.Location != "":
		return m.Message + " (" + m.Location + ")"
	}
	return m.Message
}

// GetStatus gives huma the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the body as a problem document.
func (p *Problem) ContentType(string) string { return "application/problem+json" }
