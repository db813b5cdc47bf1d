import { WORKER_STATE } from "@bus/workers/websocket_worker";
import { RelativeTime } from "@mail/core/common/relative_time";
import { Component, toRaw, useEffect, useState } from "@odoo/owl";
import { deserializeDateTime, formatDateTime, toLocaleDateString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** How often the panel looks for news where the websocket does not work. */
const POLL_MILLISECONDS = 15000;

/** Statuses in which Amazon tells no prices yet. */
const PENDING_STATUSES = ["PENDING", "PENDING_AVAILABILITY"];

/** Statuses in which the buyer has been charged: Amazon does so at the shipment. */
const CHARGED_STATUSES = ["SHIPPED", "PARTIALLY_SHIPPED"];

/** States of an action that its jobs change soon, without anybody's help. */
const MOVING_STATES = ["queued", "sending", "submitted"];

const STATE_CLASSES = {
    queued: "text-bg-secondary",
    sending: "text-bg-secondary",
    submitted: "text-bg-primary",
    unknown: "text-bg-warning",
    accepted: "text-bg-info",
    confirmed: "text-bg-success",
    rejected: "text-bg-danger",
    blocked: "text-bg-danger",
    withdrawn: "border text-muted",
    assisted: "text-bg-info",
};

/** How the sentence of an action stands out where a person has to do something. */
const MESSAGE_CLASSES = {
    unknown: "alert alert-warning py-2 mb-0",
    rejected: "alert alert-danger py-2 mb-0",
    blocked: "alert alert-danger py-2 mb-0",
    withdrawn: "text-muted",
};

const CHANNEL_TITLES = {
    fbm: _t("Shipped by the seller"),
    fba: _t("Shipped by Amazon"),
    mcf: _t("Sold elsewhere, shipped by Amazon (Multi-Channel Fulfillment)"),
};

const STATUS_CLASSES = {
    UNSHIPPED: "text-bg-warning",
    PARTIALLY_SHIPPED: "text-bg-info",
    SHIPPED: "text-bg-success",
    CANCELLED: "text-bg-danger",
};

/**
 * The Amazon order of a ticket or a sale order: what Amazon said when it was last
 * read, and what was asked of Amazon here.
 *
 * News come over the bus. They are read beside the form's own record, so that what
 * the agent is typing is not lost.
 */
export class AmazonOrderPanel extends Component {
    static template = "amazon_helpdesk_actions.AmazonOrderPanel";
    static components = { RelativeTime };
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.bus = useService("bus_service");
        this.keepLast = new KeepLast();
        this.state = useState({ panel: {} });

        useRecordObserver((record) => this.takeFromRecord(record));
        useEffect(
            (orderId) => this.followOrder(orderId),
            () => [this.order?.id]
        );
        useEffect(
            () => this.listen(),
            () => []
        );
    }

    get order() {
        return this.state.panel.order;
    }

    /** The number that was typed and is not saved yet, if any. */
    get unsavedRef() {
        const ref = this.props.record.data.amazon_order_ref;
        return !this.state.panel.notice && ref !== (this.order?.ref || false) && ref;
    }

    get isBeingRead() {
        return this.order.read_state === "requested";
    }

    get cancelRequestIsOpen() {
        return this.order.cancel_requested && this.order.status !== "CANCELLED";
    }

    get purchasedOn() {
        const { purchased_at } = this.order;
        return purchased_at && toLocaleDateString(deserializeDateTime(purchased_at));
    }

    get channelTitle() {
        return CHANNEL_TITLES[this.order.channel];
    }

    /**
     * The amounts to show of each item. Before Amazon has charged the buyer there are
     * only prices, and while the payment is pending not even those; a claim or a
     * chargeback leaves nothing that should be refunded here.
     */
    get columns() {
        const { status, totals, finances_state, claim_found, chargeback_found } = this.order;
        if (!totals.charged || PENDING_STATUSES.includes(status)) {
            return [];
        }
        if (!CHARGED_STATUSES.includes(status) && !totals.refunded && !totals.reserved) {
            return [{ name: "charged", label: _t("Price") }];
        }
        const columns = [
            { name: "charged", label: _t("Charged"), class: "d-none d-sm-table-cell" },
            {
                name: "refunded",
                label: _t("Refunded"),
                title: _t("What Amazon's finances show as refunded"),
                empty: finances_state !== "read" && _t("unknown"),
            },
            {
                name: "reserved",
                label: _t("Reserved"),
                title: _t("Asked for here, and not yet seen in Amazon's finances"),
                class: "d-none d-sm-table-cell",
            },
        ];
        if (!claim_found && !chargeback_found) {
            columns.push({ name: "refundable", label: _t("Refundable") });
        }
        return columns;
    }

    get statusClass() {
        return STATUS_CLASSES[this.order.status] || "text-bg-secondary";
    }

    stateClass(action) {
        return STATE_CLASSES[action.state];
    }

    messageClass(action) {
        return MESSAGE_CLASSES[action.state] || "";
    }

    withdrawLabel(action) {
        return _t("Withdraw %s", action.name);
    }

    moment(value) {
        return value && deserializeDateTime(value);
    }

    exactTime(value) {
        return value && formatDateTime(deserializeDateTime(value));
    }

    /**
     * Take the panel over when the form has loaded it anew; what this component has
     * read itself meanwhile is newer than what the form had before.
     */
    takeFromRecord(record) {
        const panel = record.data[this.props.name] || {};
        if (toRaw(panel) !== this.panelOfRecord) {
            this.panelOfRecord = toRaw(panel);
            this.state.panel = panel;
        }
    }

    /** Take in news as long as the panel is shown, by the bus or else by polling. */
    listen() {
        const onNews = (payload) => this.onNews(payload);
        this.bus.subscribe("amazon_order_changed", onNews);
        const interval = setInterval(() => this.poll(), POLL_MILLISECONDS);
        return () => {
            this.bus.unsubscribe("amazon_order_changed", onNews);
            clearInterval(interval);
        };
    }

    /** Ask for the news of an order as long as it is the one that is shown. */
    followOrder(orderId) {
        if (!orderId) {
            return;
        }
        const channel = `amazon_order_${orderId}`;
        this.bus.addChannel(channel);
        this.inBackground(() =>
            this.orm.silent.call("amazon.order", "refresh_if_stale", [[orderId]])
        );
        return () => this.bus.deleteChannel(channel);
    }

    onNews({ id }) {
        if (id === this.order?.id) {
            this.inBackground(() => this.reload());
        }
    }

    /** Look for news without the websocket, while news are to be expected. */
    poll() {
        if (this.bus.workerState === WORKER_STATE.CONNECTED || !this.order) {
            return;
        }
        const isMoving = ({ state }) => MOVING_STATES.includes(state);
        if (this.isBeingRead || this.order.actions.some(isMoving)) {
            this.inBackground(() => this.reload());
        }
    }

    /** Read the panel alone, and let the chatter look for new messages. */
    async reload() {
        const { resModel, resId } = this.props.record;
        const [values] = await this.keepLast.add(
            this.orm.silent.read(resModel, [resId], [this.props.name])
        );
        if (values && resId === this.props.record.resId) {
            this.state.panel = values[this.props.name];
        }
        this.env.bus.trigger("MAIL:RELOAD-THREAD", { model: resModel, id: resId });
    }

    /** Do what the agent did not ask for: a lost connection is no reason to disturb. */
    async inBackground(task) {
        try {
            await task();
        } catch (error) {
            if (!(error instanceof ConnectionLostError)) {
                throw error;
            }
        }
    }

    async onClickRefresh() {
        await this.orm.call("amazon.order", "action_refresh", [[this.order.id]]);
        await this.reload();
    }

    async onClickWithdraw(action) {
        await this.orm.call("amazon.action", "action_withdraw", [[action.id]]);
        await this.reload();
    }
}

export const amazonOrderPanel = {
    component: AmazonOrderPanel,
    displayName: _t("Amazon Order"),
    supportedTypes: ["json"],
    fieldDependencies: [{ name: "amazon_order_ref", type: "char" }],
};

registry.category("fields").add("amazon_order_panel", amazonOrderPanel);
