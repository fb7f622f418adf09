package mongodb

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// explained is what a server said of a command: the stages of the plan that it chose, how many documents
// the command returned, and how many were read for that.
type explained struct {
	stages             []string
	returned, examined int64
}

var errNotExplained = errors.New("this server explains no plan")

// explanation reads the answer to explain with the verbosity executionStats, of a find or an aggregate, of
// one server or of a mongos.
func explanation(answer bson.Raw) (e explained, err error) {
	var planned, executed bool
	var walk func(v bson.RawValue)
	see := func(key string, v bson.RawValue) {
		switch key {
		case "rejectedPlans", "allPlansExecution", "slotBasedPlan", "serverInfo", "command":
			return
		case "winningPlan":
			planned = true
		case "stage":
			if name, ok := v.StringValueOK(); ok {
				e.stages = append(e.stages, name)
			}
		case "totalDocsExamined": // a mongos sums them up before it lists those of the shards
			if n, ok := v.AsInt64OK(); ok {
				executed = true
				e.examined = max(e.examined, n)
			}
		case "nReturned":
			if n, ok := v.AsInt64OK(); ok {
				e.returned = max(e.returned, n)
			}
		}
		walk(v)
	}
	walk = func(v bson.RawValue) {
		if d, ok := v.DocumentOK(); ok {
			elements, _ := d.Elements()
			for _, x := range elements {
				see(x.Key(), x.Value())
			}
		}
		if a, ok := v.ArrayOK(); ok {
			values, _ := a.Values()
			for _, x := range values {
				walk(x)
			}
		}
	}
	walk(bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: answer})
	if !planned || !executed || len(e.stages) == 0 {
		return e, errNotExplained
	}
	return e, nil
}

// fault returns what is wrong with a plan that should be served by an index: how many documents it may read
// besides those that it returns, and whether it may sort these.
func (e explained) fault(besides int64, sorts bool) error {
	indexed := func(stage string) bool {
		return stage == "IXSCAN" || stage == "IDHACK" || stage == "CLUSTERED_IXSCAN" || stage == "COUNT_SCAN" || strings.HasPrefix(stage, "EXPRESS_")
	}
	switch {
	case slices.Contains(e.stages, "COLLSCAN") || !slices.ContainsFunc(e.stages, indexed):
		return fmt.Errorf("no index serves it: %v", e.stages)
	case !sorts && slices.Contains(e.stages, "SORT"):
		return fmt.Errorf("no index gives its order: %v", e.stages)
	case e.examined > e.returned+besides:
		return fmt.Errorf("%d documents are read for %d: %v", e.examined, e.returned, e.stages)
	}
	return nil
}

// TestExplanations reads answers in the forms of MongoDB's manual.
func TestExplanations(t *testing.T) {
	const fetch = `"winningPlan": {"stage": "LIMIT", "inputStage": {"stage": "FETCH", "inputStage": {"stage": "IXSCAN"}}}`
	for _, c := range []struct{ name, answer, want string }{
		{"an index", `{"queryPlanner": {` + fetch + `, "rejectedPlans": [{"stage": "COLLSCAN"}]}, "executionStats": {"nReturned": 20, "totalDocsExamined": 20}}`, ""},
		{"an index, in slots", `{"queryPlanner": {"winningPlan": {"queryPlan": {"stage": "FETCH", "inputStage": {"stage": "IXSCAN"}}, "slotBasedPlan": {}}},
			"executionStats": {"nReturned": 20, "totalDocsExamined": {"$numberLong": "20"}}}`, ""},
		{"one document", `{"queryPlanner": {"winningPlan": {"stage": "EXPRESS_IXSCAN"}}, "executionStats": {"nReturned": 1, "totalDocsExamined": 1}}`, ""},
		{"shards", `{"queryPlanner": {"winningPlan": {"stage": "SHARD_MERGE_SORT", "shards": [{` + fetch + `}, {` + fetch + `}]}},
			"executionStats": {"nReturned": 40, "totalDocsExamined": 40, "executionStages": {"shards": [{"nReturned": 20, "totalDocsExamined": 20}]}}}`, ""},
		{"a pipeline", `{"stages": [{"$cursor": {"queryPlanner": {"winningPlan": {"stage": "PROJECTION_COVERED", "inputStage": {"stage": "IXSCAN"}}},
			"executionStats": {"nReturned": 4950, "totalDocsExamined": 0}}}, {"$group": {}}]}`, ""},
		{"no index", `{"queryPlanner": {"winningPlan": {"stage": "COLLSCAN"}}, "executionStats": {"nReturned": 20, "totalDocsExamined": 20}}`, "no index serves it"},
		{"one shard without", `{"queryPlanner": {"winningPlan": {"stage": "SHARD_MERGE", "shards": [{` + fetch + `}, {"winningPlan": {"stage": "COLLSCAN"}}]}},
			"executionStats": {"nReturned": 20, "totalDocsExamined": 20}}`, "no index serves it"},
		{"a sort", `{"queryPlanner": {"winningPlan": {"stage": "SORT", "inputStage": {"stage": "FETCH", "inputStage": {"stage": "IXSCAN"}}}},
			"executionStats": {"nReturned": 20, "totalDocsExamined": 20}}`, "no index gives its order"},
		{"another index", `{"queryPlanner": {` + fetch + `}, "executionStats": {"nReturned": 20, "totalDocsExamined": 1900}}`, "1900 documents are read for 20"},
		{"nothing", `{"ok": 1}`, errNotExplained.Error()},
		{"a plan of another kind", `{"queryPlanner": {"Plan": {"Node Type": "Seq Scan"}}, "ok": 1}`, errNotExplained.Error()},
	} {
		var answer bson.Raw
		if err := bson.UnmarshalExtJSON([]byte(c.answer), false, &answer); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		e, err := explanation(answer)
		if err == nil {
			err = e.fault(50, false)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
