import { registry } from "@web/core/registry";
import { SelectionField, selectionField } from "@web/views/fields/selection/selection_field";

/** A selection that offers first what the record's `fitting_reasons` names, in order. */
export class AmazonReasonField extends SelectionField {
    get options() {
        const fitting = (this.props.record.data.fitting_reasons || "").split(",");
        const rank = ([value]) => (fitting.includes(value) ? fitting.indexOf(value) : fitting.length);
        return super.options.toSorted((first, second) => rank(first) - rank(second));
    }
}

registry.category("fields").add("amazon_reason", {
    ...selectionField,
    component: AmazonReasonField,
    supportedTypes: ["selection"],
    fieldDependencies: [{ name: "fitting_reasons", type: "char" }],
});
