import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { MonetaryField, monetaryField } from "@web/views/fields/monetary/monetary_field";

/** A limit, where 0 stands for none: nobody should read it as "nothing is allowed". */
export class AmazonLimitField extends MonetaryField {
    get formattedValue() {
        return this.props.readonly && !this.value ? _t("no limit") : super.formattedValue;
    }
}

registry.category("fields").add("amazon_limit", {
    ...monetaryField,
    component: AmazonLimitField,
    supportedTypes: ["monetary"],
});
