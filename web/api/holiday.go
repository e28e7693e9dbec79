package api

// HolidayList is the holidays of one year.
type HolidayList struct {
	Year      int               `json:"year"`
	Calendars []HolidayCalendar `json:"calendars" doc:"What is known of each calendar in the year; one that is missing has its windows closed all year"`
	Holidays  []Holiday         `json:"holidays" doc:"By date"`
}

// HolidayCalendar says what is known of a calendar in a year.
type HolidayCalendar struct {
	Calendar string `json:"calendar" doc:"national, or the abbreviation of a state: what window.holidays names"`
	Days     int    `json:"days"`
	Complete bool   `json:"complete" doc:"Whether it is that government's whole list"`
	Note     string `json:"note,omitempty" doc:"What is missing, where it is not"`
	Source   string `json:"source" doc:"Where it was published"`
}

// Holiday is a day of a calendar.
type Holiday struct {
	Date     string `json:"date" format:"date"`
	Calendar string `json:"calendar"`
	Name     string `json:"name"`
	Certain  bool   `json:"certain" doc:"False where it depends on the moon or was not notified when it was written down"`
	Source   string `json:"source"`
}
