package web

import (
	"net/http"
	"strings"
	"testing"

	"pukar/web/api"
)

const introTemplate = `name: onorc-intro
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name]
fallback_language: en
languages:
  en: {template_id: "1107172974420810002", text: "Dear {#alphanumeric#}, your ration card works here. Call 1800-891-2995. HELPLN"}
`

func TestTemplates(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	added, err := s.AddTemplate(ctx, []byte(introTemplate))
	if err != nil || added.Name != "onorc-intro" || added.Version != 1 {
		t.Fatalf("add: %+v, %v", added, err)
	}
	if added, err = s.AddTemplate(ctx, []byte(introTemplate)); err != nil || added.Version != 1 {
		t.Errorf("the same again: %+v, %v", added, err)
	}
	changed := strings.Replace(introTemplate, "works here", "works there", 1)
	if added, err = s.AddTemplate(ctx, []byte(changed)); err != nil || added.Version != 2 {
		t.Errorf("another text: %+v, %v", added, err)
	}
	list, err := s.Templates(ctx)
	if err != nil || len(list.Templates) != 1 || list.Templates[0].Version != 2 || list.Templates[0].Header != "HELPLN" {
		t.Errorf("list: %+v, %v", list, err)
	}
	first, err := s.Template(ctx, "onorc-intro", 1)
	if err != nil || first.Source != introTemplate {
		t.Errorf("version 1: %+v, %v", first, err)
	}
	events, err := s.AuditEvents(ctx, 0, 10)
	if err != nil || len(events.Events) != 2 {
		t.Errorf("audit: %+v, %v: want one event for each version", events, err)
	}
	_, err = s.Template(ctx, "nothing", 0)
	problemAs(t, err, http.StatusNotFound, api.CodeNotFound)
	_, err = s.AddTemplate(ctx, []byte("name: x\nnonsense: 1\n"))
	if problem := problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid); !strings.Contains(problem.Detail, "nonsense") {
		t.Errorf("the unknown key is not named: %s", problem.Detail)
	}
}
