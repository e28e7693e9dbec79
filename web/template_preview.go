package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"pukar/audience"
	"pukar/templates"
	"pukar/web/api"
)

func (s *Server) registerTemplatePreview() {
	handle(s, huma.Operation{
		OperationID: "template-preview", Method: http.MethodPost, Path: "/v1/templates/preview", Tags: []string{"templates"},
		Summary: "A template in each of its languages, with sample values or with those of one person",
	}, quick, s.previewTemplate)
}

func (s *Server) previewTemplate(ctx context.Context, in *answer[api.TemplatePreviewRequest]) (api.TemplatePreview, error) {
	ask := in.Body
	source := ask.Source
	if (source == "") == (ask.Name == "") {
		return api.TemplatePreview{}, &invalid{"give either source or name"}
	}
	if ask.Name != "" {
		version, err := s.template(ctx, ask.Name, ask.Version)
		if err != nil {
			return api.TemplatePreview{}, err
		}
		source = version.Source
	}
	parsed, err := templates.Parse([]byte(source))
	if err != nil {
		return api.TemplatePreview{}, err
	}
	price := ask.Price
	if ask.Route != "" {
		route, err := s.route(ask.Route)
		if err != nil {
			return api.TemplatePreview{}, err
		}
		price = cmp.Or(route.InrPerPart, price)
	}
	if _, err := templates.ParseRupees(cmp.Or(price, "0")); err != nil {
		return api.TemplatePreview{}, &invalid{err.Error()}
	}
	view, err := preview(parsed, price)
	if err != nil || ask.MSISDN == "" {
		return view, err
	}
	return s.previewFor(ctx, view, parsed, price, ask.MSISDN)
}

// previewFor fills each language with what is known of one person, named in that language where the register can.
func (s *Server) previewFor(ctx context.Context, view api.TemplatePreview, parsed *templates.Template, price, number string) (api.TemplatePreview, error) {
	msisdn, err := audience.ParseNumber(number)
	if err != nil {
		return view, err
	}
	view.Person = audience.Mask(msisdn)
	for i := range view.Texts {
		language := view.Texts[i].Language
		preferred, values, err := s.valuesOf(ctx, parsed, msisdn, language)
		if err != nil {
			return view, err
		}
		view.Language = parsed.Language(preferred)
		filled, err := parsed.Preview(values, price)
		if err != nil {
			return view, err
		}
		for _, text := range filled {
			if text.Language == language {
				view.Texts[i] = text
			}
		}
	}
	return view, nil
}

// sqlValues is a format: it takes the expressions of the template's variables.
const sqlValues = `
SELECT COALESCE(c.language, ''), ARRAY[%s]::text[]
FROM contact c` + audience.FieldJoins + `
WHERE c.msisdn = $1
  AND $2::text IS NOT NULL -- the language, which no variable may ask for
ORDER BY c.id
LIMIT 1`

// valuesOf reads the values of a template's variables for the person with a number, and the language she prefers.
func (s *Server) valuesOf(ctx context.Context, t *templates.Template, msisdn int64, language string) (preferred string, values []string, err error) {
	expressions := make([]string, len(t.Variables))
	for i, variable := range t.Variables {
		expression, ok := audience.FieldText(variable.Field, "$2::text")
		if !ok {
			return "", nil, &invalid{fmt.Sprintf("variable %s cannot be shown in a message", variable.Field)}
		}
		expressions[i] = "COALESCE(" + expression + ", '')"
	}
	err = s.cfg.Pool.QueryRow(ctx, fmt.Sprintf(sqlValues, strings.Join(expressions, ", ")), msisdn, language).Scan(&preferred, &values)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil, nobodyWith(msisdn)
	}
	if err != nil {
		return "", nil, fmt.Errorf("read the values of a person: %w", err)
	}
	return preferred, values, nil
}
