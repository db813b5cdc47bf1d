import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** The steps of the set-up of a seller account, down the side: a click goes there. */
export class AmazonSetupSteps extends Component {
    static template = "amazon_order_actions.AmazonSetupSteps";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
    }

    get steps() {
        return this.props.record.data[this.props.name] || [];
    }

    isCurrent(step) {
        return this.props.record.data.setup_step === step.key;
    }

    /** Keeps what was typed; where something is missing, the form says so. */
    async go(step) {
        const { record } = this.props;
        if (!(await record.save())) {
            return;
        }
        await this.orm.call(record.resModel, "action_setup_go", [[record.resId], step.key]);
        await record.load();
    }
}

registry.category("fields").add("amazon_setup_steps", {
    component: AmazonSetupSteps,
    supportedTypes: ["json"],
    fieldDependencies: [{ name: "setup_step", type: "selection" }],
});
