package web

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
	"pukar/templates"
	"pukar/web/api"
)

func (s *Server) registerTemplates() {
	tags := []string{"templates"}
	handle(s, huma.Operation{
		OperationID: "template-add", Method: http.MethodPost, Path: "/v1/templates", Tags: tags,
		Summary: "Keep a template's YAML as the newest version under its name",
	}, quick, s.addTemplate)
	handle(s, huma.Operation{
		OperationID: "template-list", Method: http.MethodGet, Path: "/v1/templates", Tags: tags,
		Summary: "Templates in their newest versions",
	}, quick, s.listTemplates)
	handle(s, huma.Operation{
		OperationID: "template-get", Method: http.MethodGet, Path: "/v1/templates/{name}", Tags: tags,
		Summary: "A template as it was given",
	}, quick, s.getTemplate)
	handle(s, huma.Operation{
		OperationID: "template-check", Method: http.MethodPost, Path: "/v1/templates/check", Tags: tags,
		Summary: "Check a template's YAML and keep nothing",
	}, quick, s.checkTemplate)
}

// yamlFile is a request whose body is a file that a person wrote.
type yamlFile struct {
	RawBody []byte `contentType:"application/yaml"`
}

func (s *Server) addTemplate(ctx context.Context, in *yamlFile) (api.TemplateAdded, error) {
	source := slices.Clone(in.RawBody) // the body's memory is used again after the request
	parsed, err := templates.Parse(source)
	if err != nil {
		return api.TemplateAdded{}, err
	}
	out := api.TemplateAdded{Name: parsed.Name, Warnings: orEmpty(parsed.Warnings())}
	err = s.change(ctx, func(tx pgx.Tx) (*auditlog.Event, error) {
		store := templates.NewStore(tx)
		before, err := store.Get(ctx, parsed.Name)
		if err != nil && !errors.Is(err, templates.ErrNotFound) {
			return nil, err
		}
		if _, out.Version, err = store.Add(ctx, source, peerFrom(ctx).Name); err != nil {
			return nil, err
		}
		if before != nil && before.Version == out.Version {
			return nil, nil // the same text again
		}
		return &auditlog.Event{Action: "template.add", Subject: parsed.Name, After: map[string]any{"version": out.Version, "source": string(source)}}, nil
	})
	return out, err
}

// afterName is where a list begins.
type afterName struct {
	After string `query:"after" doc:"Only names after this one: the last of the page before"`
}

func (s *Server) listTemplates(ctx context.Context, in *afterName) (api.TemplateList, error) {
	versions, err := templates.NewStore(s.cfg.Pool).List(ctx, in.After)
	if err != nil {
		return api.TemplateList{}, err
	}
	list := api.TemplateList{Templates: make([]api.TemplateSummary, len(versions))}
	for i := range versions {
		version := &versions[i]
		parsed, err := templates.Parse([]byte(version.Source))
		if err != nil {
			return api.TemplateList{}, err
		}
		list.Templates[i] = api.TemplateSummary{
			Name: version.Name, Version: version.Version, Category: parsed.Category, Header: parsed.Header,
			Languages: parsed.LanguageCodes(), Actor: version.Actor, CreatedAt: api.At(version.CreatedAt),
		}
	}
	return list, nil
}

// templateName names a template and its version.
type templateName struct {
	Name    string `path:"name" doc:"Name of the template"`
	Version int    `query:"version" minimum:"0" doc:"Its version; the newest unless told"`
}

func (s *Server) getTemplate(ctx context.Context, in *templateName) (api.Template, error) {
	version, err := s.template(ctx, in.Name, in.Version)
	if err != nil {
		return api.Template{}, err
	}
	return api.Template{Name: version.Name, Version: version.Version, Source: version.Source}, nil
}

func (s *Server) template(ctx context.Context, name string, version int) (*templates.Version, error) {
	store := templates.NewStore(s.cfg.Pool)
	if version > 0 {
		return store.GetVersion(ctx, name, version)
	}
	return store.Get(ctx, name)
}

func (s *Server) checkTemplate(_ context.Context, in *yamlFile) (api.TemplatePreview, error) {
	parsed, err := templates.Parse(slices.Clone(in.RawBody))
	if err != nil {
		return api.TemplatePreview{}, err
	}
	return preview(parsed, "")
}

// preview shows a template with sample values.
func preview(t *templates.Template, price string) (api.TemplatePreview, error) {
	texts, err := t.Preview(nil, price)
	if err != nil {
		return api.TemplatePreview{}, err
	}
	return api.TemplatePreview{Name: t.Name, Header: t.Header, Category: t.Category, Texts: texts, Warnings: orEmpty(t.Warnings())}, nil
}

// orEmpty makes a list that JSON writes as [] and not as null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
