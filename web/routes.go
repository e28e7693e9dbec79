package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp"
	"pukar/web/api"
)

func (s *Server) registerRoutes() {
	tags := []string{"routes"}
	handle(s, huma.Operation{
		OperationID: "route-list", Method: http.MethodGet, Path: "/v1/routes", Tags: tags,
		Summary: "Routes and how their binds stand",
	}, quick, func(ctx context.Context, _ *struct{}) (api.RouteList, error) {
		drains, err := s.cfg.Campaigns.RouteDrains(ctx)
		if err != nil {
			return api.RouteList{}, err
		}
		list := api.RouteList{Routes: make([]api.Route, len(s.cfg.Routes))}
		binds := s.routeBinds()
		for i := range s.cfg.Routes {
			list.Routes[i] = routeOf(&s.cfg.Routes[i], binds[s.cfg.Routes[i].Name], drains)
		}
		return list, nil
	})
	handle(s, huma.Operation{
		OperationID: "route-test", Method: http.MethodPost, Path: "/v1/routes/{name}/test", Tags: tags,
		Summary: "Whether a route is bound; a problem with the reason when it is not",
	}, quick, s.testRoute)
}

// routeName names a route.
type routeName struct {
	Name string `path:"name" doc:"Name of the route"`
}

func (s *Server) testRoute(ctx context.Context, in *routeName) (api.Route, error) {
	found, err := s.route(in.Name)
	if err != nil {
		return api.Route{}, err
	}
	drains, err := s.cfg.Campaigns.RouteDrains(ctx)
	if err != nil {
		return api.Route{}, err
	}
	route := routeOf(found, s.routeBinds()[in.Name], drains)
	if route.Bound {
		return route, nil
	}
	var reasons []string
	for _, bind := range route.Binds {
		reasons = append(reasons, fmt.Sprintf("%s is %s: %s", bind.Name, bind.State, bind.Reason))
	}
	problem := api.NewProblem(http.StatusServiceUnavailable, api.CodeUnavailable, fmt.Sprintf("route %s is not bound: %s", in.Name, strings.Join(reasons, "; ")))
	problem.Mend = "check addr, system_id and password of its binds, and that the operator expects us"
	return api.Route{}, problem
}

func (s *Server) route(name string) (*config.Route, error) {
	var known []string
	for i := range s.cfg.Routes {
		if s.cfg.Routes[i].Name == name {
			return &s.cfg.Routes[i], nil
		}
		known = append(known, s.cfg.Routes[i].Name)
	}
	problem := api.NewProblem(http.StatusNotFound, api.CodeNotFound, fmt.Sprintf("there is no route %q", name))
	problem.Mend = "known are " + strings.Join(known, ", ")
	if len(known) == 0 {
		problem.Mend = "add one under routes in the configuration"
	}
	return nil, problem
}

func (s *Server) routeBinds() map[string][]smpp.BindStatus {
	if s.cfg.RouteBinds == nil {
		return nil
	}
	return s.cfg.RouteBinds()
}

// routeOf tells a route with its binds; those that this process does not run are told from the configuration.
func routeOf(route *config.Route, binds []smpp.BindStatus, drains map[string]campaign.Drain) api.Route {
	drain := drains[route.Name]
	out := api.Route{
		Name: route.Name, Header: route.Header, PartsPerSecond: route.PartsPerSecond, INRPerPart: route.InrPerPart,
		Receipts: route.Receipts, Simulated: route.Simulated, Binds: []api.Bind{},
		DrainSeconds: drain.Time().Seconds(), DrainSamples: drain.Samples,
	}
	for i := range binds {
		b := &binds[i]
		out.Bound = out.Bound || b.State == smpp.Bound
		out.Binds = append(out.Binds, api.Bind{
			Name: b.Name, State: fmt.Sprint(b.State), Since: api.When(&b.Since), Reason: b.Reason, Outstanding: b.Outstanding, Window: b.Window,
		})
	}
	if len(binds) == 0 {
		for _, b := range route.Binds {
			out.Binds = append(out.Binds, api.Bind{Name: b.Name, State: "closed", Reason: "this process does not run it", Window: b.Window})
		}
	}
	return out
}
