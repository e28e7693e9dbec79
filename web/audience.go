package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"pukar/audience"
	"pukar/web/api"
)

func (s *Server) registerAudience() {
	tags := []string{"audience"}
	handle(s, huma.Operation{
		OperationID: "audience-count", Method: http.MethodPost, Path: "/v1/audience/count", Tags: tags,
		Summary: "How many people a cohort has, and how its rules judge them",
	}, slow, s.countPeople)
	handle(s, huma.Operation{
		OperationID: "audience-preview", Method: http.MethodPost, Path: "/v1/audience/preview", Tags: tags,
		Summary: "Some people of a cohort",
	}, slow, s.previewPeople)
	handle(s, huma.Operation{
		OperationID: "audience-explain", Method: http.MethodPost, Path: "/v1/audience/explain", Tags: tags,
		Summary: "How a cohort judges the people with one number, condition by condition",
	}, quick, s.explainPerson)
}

func cohortOf(c api.Cohort) audience.Cohort {
	return audience.Cohort{Scheme: c.Scheme, Eligibility: c.Eligibility, Home: c.Home, Language: c.Language, Where: c.Where, All: c.All}
}

func (s *Server) countPeople(ctx context.Context, in *answer[api.Cohort]) (api.Count, error) {
	n, err := audience.CountCohort(ctx, s.cfg.Pool, cohortOf(in.Body), s.cfg.Places, s.cfg.Schemes, time.Now())
	return api.Count(n), err
}

func (s *Server) previewPeople(ctx context.Context, in *answer[api.PreviewRequest]) (api.Preview, error) {
	show, err := numbersFor(ctx, in.Body.Numbers)
	if err != nil {
		return api.Preview{}, err
	}
	people, err := audience.PreviewCohort(ctx, s.cfg.Pool, cohortOf(in.Body.Cohort), s.cfg.Places, s.cfg.Schemes, time.Now(), in.Body.Limit)
	if err != nil {
		return api.Preview{}, err
	}
	out := api.Preview{People: make([]api.Person, len(people))}
	for i := range people {
		out.People[i] = personOf(&people[i], show)
	}
	return out, nil
}

func personOf(p *audience.Person, show func(int64) string) api.Person {
	return api.Person{
		Contact: p.Contact, MSISDN: show(p.MSISDN), Name: p.Name, Language: p.Language, HomeState: p.HomeState, HomeDistrict: p.HomeDistrict,
		Eligibility: p.Eligibility, Why: p.Why,
	}
}

func (s *Server) explainPerson(ctx context.Context, in *answer[api.ExplainRequest]) (api.Explanation, error) {
	msisdn, err := audience.ParseNumber(in.Body.MSISDN)
	if err != nil {
		return api.Explanation{}, err
	}
	found, err := audience.ExplainCohort(ctx, s.cfg.Pool, cohortOf(in.Body.Cohort), s.cfg.Places, s.cfg.Schemes, time.Now(), msisdn)
	if err != nil {
		return api.Explanation{}, err
	}
	if len(found) == 0 {
		return api.Explanation{}, nobodyWith(msisdn)
	}
	out := api.Explanation{People: make([]api.ExplainedPerson, len(found))}
	for i := range found {
		person := api.ExplainedPerson{Person: personOf(&found[i].Person, audience.Mask), Targeted: found[i].Targeted, Clauses: []api.Clause{}}
		for _, c := range found[i].Clauses {
			person.Clauses = append(person.Clauses, api.Clause{
				Source: c.Source, ID: c.ID, Rule: c.Rule, EN: c.Words.EN, HI: c.Words.HI, Answer: c.Answer, Why: c.Why,
			})
		}
		out.People[i] = person
	}
	return out, nil
}

func nobodyWith(msisdn int64) error {
	return api.NewProblem(http.StatusNotFound, api.CodeNotFound, fmt.Sprintf("nobody in the register has the number %s", audience.Mask(msisdn)))
}
