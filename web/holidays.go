package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"pukar/campaign"
	"pukar/web/api"
)

func (s *Server) registerHolidays() {
	handle(s, huma.Operation{
		OperationID: "holiday-list", Method: http.MethodGet, Path: "/v1/holidays", Tags: []string{"campaigns"},
		Summary: "Holidays that windows can keep",
	}, quick, s.holidays)
}

// holidayQuery picks holidays.
type holidayQuery struct {
	Year     int    `query:"year" minimum:"0" maximum:"9999" doc:"The present year unless told"`
	Calendar string `query:"calendar" maxLength:"16" doc:"national, or the abbreviation of a state; all unless told"`
}

func (s *Server) holidays(_ context.Context, in *holidayQuery) (api.HolidayList, error) {
	known := s.cfg.Campaigns.Holidays
	year, name := in.Year, strings.ToUpper(in.Calendar)
	if strings.EqualFold(name, campaign.National) {
		name = campaign.National
	}
	if year == 0 {
		year = time.Now().In(campaign.India).Year()
	}
	list := api.HolidayList{Year: year, Calendars: []api.HolidayCalendar{}, Holidays: []api.Holiday{}}
	for _, calendar := range known.Calendars() {
		y, ok := known.Year(calendar, year)
		if ok && (name == "" || name == calendar) {
			list.Calendars = append(list.Calendars, api.HolidayCalendar{
				Calendar: calendar, Days: y.Days, Complete: y.Complete, Note: y.Note, Source: y.Source,
			})
		}
	}
	if len(list.Calendars) == 0 {
		return list, noHolidays(known, year, name)
	}
	for _, d := range known.In(year, name) {
		list.Holidays = append(list.Holidays, api.Holiday{
			Date: d.Date.Format(time.DateOnly), Calendar: d.Calendar, Name: d.Name, Certain: d.Certain, Source: d.Source,
		})
	}
	return list, nil
}

func noHolidays(known *campaign.Holidays, year int, name string) error {
	if name != "" && !slices.Contains(known.Calendars(), name) {
		problem := api.NewProblem(http.StatusNotFound, api.CodeNotFound, fmt.Sprintf("there is no calendar %q", name))
		problem.Mend = "known are " + strings.Join(known.Calendars(), ", ")
		return problem
	}
	of := ""
	if name != "" {
		of = " of " + name
	}
	problem := api.NewProblem(http.StatusNotFound, api.CodeNotFound, fmt.Sprintf("the holidays%s are not known for %d: a window that keeps them is closed all year", of, year))
	problem.Mend = fmt.Sprintf("write them into holidays/%d.yaml in PUKAR_HOME and start again (`pukar holidays --help` shows the form); known are the years %s",
		year, strings.Join(strings.Fields(strings.Trim(fmt.Sprint(known.Years()), "[]")), ", "))
	return problem
}
