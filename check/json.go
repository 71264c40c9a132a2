package check

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the findings and then the counts, each an object in a line of its own.
// Keys that would be empty are left out of findings.
//
//	{"type":"finding","rule":"…","severity":"error","app":"…","file":"…","line":N,
//	 "message":"…","reason":"…","cure":"…"}
//	{"type":"summary","errors":N,"warnings":N,"allowed":N,"files":N,"statements":N}
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, f := range r.Findings {
		err := encoder.Encode(struct {
			Type     string   `json:"type"`
			Rule     string   `json:"rule"`
			Severity Severity `json:"severity"`
			App      string   `json:"app,omitempty"`
			File     string   `json:"file,omitempty"`
			Line     int      `json:"line,omitempty"`
			Message  string   `json:"message"`
			Reason   string   `json:"reason"`
			Cure     string   `json:"cure"`
		}{"finding", f.Rule, f.Severity, f.App, f.File, f.Line, f.Message, f.Reason, f.Cure})
		if err != nil {
			return err
		}
	}
	return encoder.Encode(struct {
		Type       string `json:"type"`
		Errors     int    `json:"errors"`
		Warnings   int    `json:"warnings"`
		Allowed    int    `json:"allowed"`
		Files      int    `json:"files"`
		Statements int    `json:"statements"`
	}{"summary", r.Count(Error), r.Count(Warning), r.Allowed, r.Files, r.Statements})
}
