import { WORKER_STATE } from "@bus/workers/websocket_worker";
import { RelativeTime } from "@mail/core/common/relative_time";
import { Component, toRaw, useEffect, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { formatCurrency, getCurrency } from "@web/core/currency";
import {
    deserializeDateTime,
    formatDateTime,
    toLocaleDateString,
    toLocaleDateTimeString,
} from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { formatFloat } from "@web/core/utils/numbers";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** A panel that the form has loaded longer ago than this is read again. */
const FRESH_MILLISECONDS = 5000;

/** When each panel arrived: the form keeps it while the component comes and goes. */
const arrivals = new WeakMap();

/** Statuses in which Amazon tells no prices yet. */
const PENDING_STATUSES = ["PENDING", "PENDING_AVAILABILITY"];

/** Statuses in which the buyer has been charged: Amazon does so at the shipment. */
const CHARGED_STATUSES = ["SHIPPED", "PARTIALLY_SHIPPED"];

/** States of an action that others change soon: its jobs, or a second person. */
const MOVING_STATES = ["to_approve", "queued", "sending", "submitted"];

const STATE_CLASSES = {
    to_approve: "text-bg-warning",
    queued: "text-bg-secondary",
    sending: "text-bg-secondary",
    submitted: "text-bg-primary",
    unknown: "text-bg-warning",
    accepted: "text-bg-info",
    confirmed: "text-bg-success",
    rejected: "text-bg-danger",
    blocked: "text-bg-danger",
    withdrawn: "border text-muted",
    refused: "text-bg-danger",
    expired: "text-bg-danger",
    assisted: "text-bg-info",
};

/** How the sentence of an action stands out where a person has to do something. */
const MESSAGE_CLASSES = {
    unknown: "alert alert-warning py-2 mb-0",
    rejected: "alert alert-danger py-2 mb-0",
    blocked: "alert alert-danger py-2 mb-0",
    refused: "alert alert-danger py-2 mb-0",
    expired: "alert alert-danger py-2 mb-0",
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
    // of a fulfillment order
    NEW: "text-bg-warning",
    RECEIVED: "text-bg-warning",
    PLANNING: "text-bg-warning",
    PROCESSING: "text-bg-info",
    COMPLETE: "text-bg-success",
    COMPLETE_PARTIALLED: "text-bg-info",
    UNFULFILLABLE: "text-bg-danger",
    INVALID: "text-bg-danger",
};

/**
 * The Amazon order of a ticket or a sale order: what Amazon said when it was last
 * read, and what was asked of Amazon here.
 *
 * News come over the bus. They are read beside the form's own record, so that what
 * the agent is typing is not lost.
 */
export class AmazonOrderPanel extends Component {
    static template = "amazon_order_actions.AmazonOrderPanel";
    static components = { RelativeTime };
    static props = { ...standardFieldProps };

    /** How often the panel looks for news where the websocket does not work. */
    static pollMilliseconds = 15000;

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.orm = useService("orm");
        this.bus = useService("bus_service");
        this.keepLast = new KeepLast();
        this.state = useState({ panel: {}, now: this.serverNow });

        useRecordObserver((record) => this.takeFromRecord(record));
        useEffect(
            (orderId) => this.followOrder(orderId),
            () => [this.order?.id]
        );
        useEffect(
            (isCounting) => this.count(isCounting),
            () => [this.isCountingDown]
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
        const { amazon_order_ref, amazon_fulfillment_ref } = this.props.record.data;
        const ref = amazon_order_ref || amazon_fulfillment_ref;
        return !this.state.panel.notice && ref !== (this.order?.ref || false) && ref;
    }

    /** Now by the server's clock, which the times of the panel are told by. */
    get serverNow() {
        return Date.now() + (this.clockOffset || 0);
    }

    /** Whether an action waits for the moment at which it may leave. */
    get isCountingDown() {
        return Boolean(this.order && this.order.actions.some((action) => this.secondsLeft(action)));
    }

    get isBeingRead() {
        return this.order.read_state === "requested";
    }

    get cancelRequestIsOpen() {
        return this.order.cancel_requested && this.order.status !== "CANCELLED";
    }

    /** What the buyer wants to have cancelled: some of the items, or all of them. */
    get cancelRequestSubject() {
        const { lines } = this.order;
        const asked = lines.filter((line) => line.cancel_requested);
        return asked.length && asked.length < lines.length
            ? asked.map((line) => line.title).join(", ")
            : _t("this order");
    }

    /** An amount in the order's currency; the web client knows the active ones. */
    money(amount) {
        const { id, name } = this.order.currency;
        if (getCurrency(id)) {
            return formatCurrency(amount, id);
        }
        return `${formatFloat(amount)} ${name}`;
    }

    showsAmount(amounts, { name }) {
        return this.order.currency && (amounts[name] || name === "charged");
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
        if (!this.order.currency || PENDING_STATUSES.includes(status)) {
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

    /** The units to show of each item, beside how many were ordered. */
    get unitColumns() {
        const cancelled = { name: "quantity_cancelled", label: _t("Cancelled") };
        if (!this.order.fulfillment) {
            const isCut = this.order.lines.some((line) => line.quantity_cancelled);
            const shipped = { name: "quantity_fulfilled", label: _t("Shipped") };
            return isCut ? [shipped, cancelled] : [shipped];
        }
        const columns = [cancelled];
        if (this.order.lines.some((line) => line.quantity_unfulfillable)) {
            columns.push({ name: "quantity_unfulfillable", label: _t("Unfulfillable") });
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
        return _t("Take back %s", action.name);
    }

    dropLabel({ feed_count }) {
        return feed_count > 1
            ? _t("Ask Amazon to drop it (whole feed: %s actions)", feed_count)
            : _t("Ask Amazon to drop it");
    }

    /** Seconds until an action may leave, or 0. */
    secondsLeft({ state, due_at }) {
        if (state !== "queued" || !due_at) {
            return 0;
        }
        return Math.max(Math.ceil((this.moment(due_at).toMillis() - this.state.now) / 1000), 0);
    }

    /** What is expected of an action that is on its way: experience, not a promise. */
    expectation(action) {
        const parts = [this.departure(action), this.arrival(action)];
        return parts.filter(Boolean).join(" ");
    }

    departure(action) {
        if (action.state !== "queued") {
            return "";
        }
        if (action.stop_message) {
            return _t("Waiting. %s", action.stop_message);
        }
        const seconds = this.secondsLeft(action);
        if (seconds) {
            return _t("Leaves in %s s at the earliest.", seconds);
        }
        return this.isToCome(action.leaves_at)
            ? _t("Waiting to leave, expected about %s.", this.clockTime(action.leaves_at))
            : _t("Waiting to leave.");
    }

    arrival({ answer_at }) {
        if (!answer_at) {
            return "";
        }
        return this.isToCome(answer_at)
            ? _t("Answer expected about %s.", this.clockTime(answer_at))
            : _t("An answer was expected about %s.", this.clockTime(answer_at));
    }

    isToCome(value) {
        return value && this.moment(value).toMillis() > this.state.now;
    }

    /** The time of day, with the day where it is another one. */
    clockTime(value) {
        const moment = this.moment(value);
        const isToday = moment.hasSame(luxon.DateTime.fromMillis(this.state.now), "day");
        return toLocaleDateTimeString(moment, { showDate: !isToday, showTime: true });
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
        if (toRaw(panel) === this.panelOfRecord) {
            return;
        }
        this.panelOfRecord = toRaw(panel);
        if (!arrivals.has(toRaw(panel))) {
            arrivals.set(toRaw(panel), Date.now());
        }
        const arrivedAt = arrivals.get(toRaw(panel));
        this.show(panel, arrivedAt);
        if (panel.order && Date.now() - arrivedAt > FRESH_MILLISECONDS) {
            this.inBackground(() => this.reload());
        }
    }

    /** Show a panel, and take the server's clock from it. */
    show(panel, arrivedAt) {
        if (panel.order) {
            this.clockOffset = this.moment(panel.order.now).toMillis() - arrivedAt;
        }
        this.state.panel = panel;
        this.state.now = this.serverNow;
    }

    /** Count the seconds as long as an action may not leave yet. */
    count(isCounting) {
        if (!isCounting) {
            return;
        }
        const interval = setInterval(() => (this.state.now = this.serverNow), 1000);
        return () => clearInterval(interval);
    }

    /** Take in news as long as the panel is shown, by the bus or else by polling. */
    listen() {
        const onNews = (payload) => this.onNews(payload);
        this.bus.subscribe("amazon_order_changed", onNews);
        const interval = setInterval(() => this.poll(), this.constructor.pollMilliseconds);
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
        if (this.order.is_stale) {
            this.inBackground(() =>
                this.orm.silent.call("amazon.order", "refresh_if_stale", [[orderId]])
            );
        }
        return () => this.bus.deleteChannel(channel);
    }

    onNews({ id }) {
        if (id === this.order?.id) {
            this.inBackground(() => this.reload());
        }
    }

    /** Look for news without the websocket, while news are to be expected. */
    poll() {
        this.state.now = this.serverNow;
        if (this.bus.workerState === WORKER_STATE.CONNECTED || !this.order) {
            return;
        }
        const isMoving = ({ state }) => MOVING_STATES.includes(state);
        const isWaiting = this.order.read_state === "waiting";
        if (this.isBeingRead || isWaiting || this.order.actions.some(isMoving)) {
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
            this.show(values[this.props.name], Date.now());
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
        try {
            await this.orm.call("amazon.action", "action_withdraw", [[action.id]]);
        } finally {
            await this.reload();
        }
    }

    async onClickDrop(action) {
        const question = await this.orm.call("amazon.action", "action_cancel_feed_question", [
            [action.id],
        ]);
        this.dialog.add(ConfirmationDialog, {
            title: _t("Ask Amazon to drop %s?", action.name),
            body: question,
            confirmLabel: action.feed_count > 1
                    ? _t("Ask Amazon to Drop All of It")
                    : _t("Ask Amazon to Drop It"),
            confirm: async () => {
                await this.orm.call("amazon.action", "action_cancel_feed", [[action.id]]);
                // Not awaited: news that come meanwhile take this reading's place, and
                // the dialog would stay open.
                this.inBackground(() => this.reload());
            },
            cancelLabel: _t("Let It Go On"),
            cancel: () => {},
        });
    }

    /**
     * Open the dialog that a method of an action returns; where there is none any more,
     * show what has become of the action.
     */
    async openDialog(action, method) {
        let dialog;
        try {
            dialog = await this.orm.call("amazon.action", method, [[action.id]]);
        } catch (error) {
            this.inBackground(() => this.reload());
            throw error;
        }
        // Not awaited: news that come meanwhile take this reading's place, and the dialog
        // would stay open.
        const onClose = () => void this.inBackground(() => this.reload());
        await this.action.doAction(dialog, { onClose });
    }
}

export const amazonOrderPanel = {
    component: AmazonOrderPanel,
    displayName: _t("Amazon Order"),
    supportedTypes: ["json"],
    fieldDependencies: [
        { name: "amazon_order_ref", type: "char" },
        { name: "amazon_fulfillment_ref", type: "char" },
    ],
};

registry.category("fields").add("amazon_order_panel", amazonOrderPanel);
