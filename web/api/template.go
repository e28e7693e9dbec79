package api

import (
	"encoding/json"

	"pukar/templates"
)

// TemplateAdded says under which version a template is kept.
type TemplateAdded struct {
	Name     string   `json:"name" doc:"Name of the template"`
	Version  int      `json:"version" doc:"Its version; the same text again is the same version"`
	Warnings []string `json:"warnings" doc:"What some operators would refuse"`
}

// TemplateSummary is one template in a list, in its newest version.
type TemplateSummary struct {
	Name      string   `json:"name"`
	Version   int      `json:"version" doc:"Newest version"`
	Category  string   `json:"category" doc:"promotional, service, transactional or government"`
	Header    string   `json:"header" doc:"Sender"`
	Languages []string `json:"languages" doc:"Codes, the fallback first"`
	Actor     string   `json:"actor" doc:"Who added this version"`
	CreatedAt Time     `json:"created_at" doc:"When this version was added"`
}

// TemplateList is every template.
type TemplateList struct {
	Templates []TemplateSummary `json:"templates"`
}

// Template is one template in one version, as it was given.
type Template struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Source  string `json:"source" doc:"The YAML"`
}

// TemplatePreviewRequest asks how a template looks, for one person of the register or with sample values.
type TemplatePreviewRequest struct {
	Source  string `json:"source,omitempty" doc:"A template's YAML; or give name"`
	Name    string `json:"name,omitempty" doc:"A template that was added"`
	Version int    `json:"version,omitempty" doc:"Its version; the newest unless told"`
	MSISDN  string `json:"msisdn,omitempty" doc:"Fill it with what is known of the person with this number"`
	Route   string `json:"route,omitempty" doc:"Route whose price is used"`
	Price   string `json:"price,omitempty" doc:"Price of a part in rupees, where no route is given"`
}

// TemplatePreview is a template in each of its languages.
type TemplatePreview struct {
	Name     string              `json:"name"`
	Header   string              `json:"header"`
	Category string              `json:"category"`
	Language string              `json:"language,omitempty" doc:"The language that the person would get"`
	Person   string              `json:"person,omitempty" doc:"Whose facts fill it, by masked number"`
	Texts    []templates.Preview `json:"texts" doc:"Each language, the fallback first"`
	Warnings []string            `json:"warnings" doc:"What some operators would refuse"`
}

// AuditEvent is one change and who made it.
type AuditEvent struct {
	ID      int64           `json:"id"`
	At      Time            `json:"at"`
	Actor   string          `json:"actor"`
	Action  string          `json:"action" doc:"What was done, as campaign.launch"`
	Subject string          `json:"subject" doc:"What it was done to"`
	Before  json.RawMessage `json:"before,omitempty" doc:"How it was"`
	After   json.RawMessage `json:"after,omitempty" doc:"How it became"`
	Hash    string          `json:"hash" doc:"Hash over this event and the hash before, in hexadecimal"`
}

// AuditList is a page of events, newest first.
type AuditList struct {
	Events []AuditEvent `json:"events"`
	Next   int64        `json:"next,omitempty" doc:"Give as before to get the next page; absent on the last"`
}

// AuditVerification says whether the chain of events is whole and every run's list of people is as it was frozen.
type AuditVerification struct {
	Events     int64   `json:"events" doc:"Events that were read"`
	Runs       int64   `json:"runs" doc:"Runs whose list of people has the hash that was noted when it was frozen"`
	Whole      bool    `json:"whole" doc:"Whether every hash is right"`
	Broken     int64   `json:"broken,omitempty" doc:"First event whose hash is not right"`
	Why        string  `json:"why,omitempty" doc:"What is not right about it"`
	BrokenRuns []int32 `json:"broken_runs,omitempty" doc:"Ids of runs whose list of people was altered, at most 100"`
	Head       string  `json:"head" doc:"Hash of the newest event, in hexadecimal: note it elsewhere to prove later that nothing was cut off"`
}
