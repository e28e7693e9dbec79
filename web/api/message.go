package api

// Codes of refusals to write to a person. Nothing was stored.
const (
	// CodeSuppressed marks a number on the list of stops.
	CodeSuppressed = "suppressed"
	// CodeNoConsent marks a person who does not want messages.
	CodeNoConsent = "no_consent"
	// CodeConsentUnknown marks a person whose consent a promotional message would need.
	CodeConsentUnknown = "consent_unknown"
	// CodeUnder18 marks a person known to be a minor.
	CodeUnder18 = "under_18"
	// CodeInvented marks an invented person and a route to real handsets.
	CodeInvented = "invented"
)

// MessageRequest asks for one message to one number.
type MessageRequest struct {
	Key       string            `json:"key,omitempty" maxLength:"100" doc:"Your own key of this message, here or in the header Idempotency-Key: the same key again is the same message and sends nothing more"`
	Template  string            `json:"template" minLength:"1" doc:"Name of a template"`
	Route     string            `json:"route" minLength:"1" doc:"Name of a route"`
	To        string            `json:"to" minLength:"1" doc:"A mobile number as people write it"`
	Language  string            `json:"language,omitempty" doc:"A language of the template; left out: the person's in the register, else the template's fallback"`
	Variables map[string]string `json:"variables,omitempty" doc:"Values by the names of the template's variables; one left out takes the template's default"`
	Purpose   string            `json:"purpose" minLength:"1" doc:"What people are contacted for: who said stop to it gets nothing"`
	ValidFor  string            `json:"valid_for,omitempty" doc:"How long it may try to leave, from 1m to 72h; 24h unless told. What has not left by then is cancelled" example:"24h"`
}

// MessageAccepted says that a message was taken in.
type MessageAccepted struct {
	ID           int32  `json:"id" doc:"Number of the message"`
	Key          string `json:"key"`
	State        string `json:"state" doc:"pending: it was taken in. GET /v1/messages/{key} says what became of it"`
	Language     string `json:"language"`
	Parts        int    `json:"parts" doc:"Parts that the text takes"`
	CostINR      string `json:"cost_inr" doc:"Price of the parts in rupees"`
	ValidUntil   *Time  `json:"valid_until" doc:"What has not left by then is cancelled"`
	WaitingUntil *Time  `json:"waiting_until,omitempty" doc:"When the hours of its category begin, if it was posted outside of them"`
	Repeated     bool   `json:"repeated,omitempty" doc:"The key was known: nothing was done, and the rest is as it was answered first"`
}

// Message is a message and what became of it.
type Message struct {
	ID              int32    `json:"id" doc:"Number of the message"`
	Key             string   `json:"key"`
	State           string   `json:"state" doc:"As of a recipient: pending, suppressed, skipped, unknown, rejected, sent, delivered, failed, expired or no_receipt"`
	RunState        string   `json:"run_state" doc:"Where its run stands: running, settling, done, paused, cancelled …"`
	Why             string   `json:"why,omitempty" doc:"Why it is paused or cancelled, or cannot leave now"`
	To              string   `json:"to" doc:"The number, masked"`
	Template        string   `json:"template"`
	TemplateVersion int      `json:"template_version"`
	Language        string   `json:"language"`
	Route           string   `json:"route"`
	Purpose         string   `json:"purpose"`
	Parts           int      `json:"parts"`
	CostINR         string   `json:"cost_inr"`
	Actor           string   `json:"actor"`
	PostedAt        *Time    `json:"posted_at"`
	ValidUntil      *Time    `json:"valid_until"`
	WaitingUntil    *Time    `json:"waiting_until,omitempty" doc:"When the hours of its category begin, while they keep it"`
	SubmittedAt     *Time    `json:"submitted_at,omitempty" doc:"When it was written down for the wire"`
	AcceptedAt      *Time    `json:"accepted_at,omitempty" doc:"When the message centre had taken its last part"`
	FinalAt         *Time    `json:"final_at,omitempty" doc:"When its state was certain"`
	Error           string   `json:"error,omitempty" doc:"The refusal, or why it was skipped"`
	MessageIDs      []string `json:"message_ids,omitempty" doc:"Those that the message centre gave, in order of part"`
	ReceiptStatus   string   `json:"receipt_status,omitempty"`
	ReceiptError    string   `json:"receipt_error,omitempty"`
}

// Ended says whether nothing more is expected of the message.
func (m Message) Ended() bool { return m.State != "pending" && m.State != "sent" }
