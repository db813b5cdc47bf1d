import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

export const PANEL = ".o_amazon_order_panel";

/**
 * Have the next stage of the jobs run: the runner beside the tour takes the wish to
 * read the order as the sign that what is shown so far has been seen.
 */
export const letTimePass = () => ({
    content: "Ask for the order to be read again",
    trigger: `${PANEL} .o_amazon_order_refresh`,
    run: "click",
});

export const see = (content, trigger) => ({ content, trigger });

export const seeState = (state, text) =>
    see(
        `The panel says by itself: ${state}`,
        `${PANEL} .o_amazon_action[data-state='${state}']:contains(${text})`
    );

export const chooseReason = (reason) => [
    {
        content: "Open the reasons",
        trigger: ".modal .o_field_widget[name='reason'] input",
        run: "click",
    },
    {
        content: `Choose: ${reason}`,
        trigger: `.o_select_menu_item:contains(${reason})`,
        run: "click",
    },
];

export const clickHeader = (label) => ({
    content: `Open the dialog: ${label}`,
    trigger: `.o_statusbar_buttons button:contains(${label})`,
    run: "click",
});

export const clickFooter = (label) => ({
    content: `Click: ${label}`,
    trigger: `.modal-footer button:contains(${label})`,
    run: "click",
});

registry.category("web_tour.tours").add("amazon_ticket_refund", {
    steps: () => [
        see("The order is shown", `${PANEL}:contains(302-4481516-2342108)`),
        see("What can be refunded", `${PANEL} .o_amazon_order_items td:contains(44.94)`),
        clickHeader("Refund"),
        see("All is refunded by default", ".modal .o_field_widget[name='total']:contains(44.94)"),
        ...chooseReason("Customer return"),
        clickFooter("Refund the Buyer"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeState("queued", "Nothing is sent to Amazon yet"),
        letTimePass(),
        seeState("submitted", "has not processed it yet"),
        see("Nothing to withdraw any more", `${PANEL}:not(:has(.o_amazon_action_withdraw))`),
        {
            content: "Type something, and do not save it",
            trigger: ".o_field_widget[name='name'] input, .o_field_widget[name='name'] textarea",
            run: "edit Kettle leaks",
        },
        letTimePass(),
        seeState("accepted", "Its finances do not show it yet"),
        see(
            "The news are in the chatter",
            ".o-mail-Message:contains(Amazon has accepted the refund)"
        ),
        see("What was typed is still there", ".o_field_widget[name='name'] :value('Kettle leaks')"),
        see("And still not saved", ".o_form_button_save:visible"),
        letTimePass(),
        seeState("confirmed", "finances show the refund"),
        ...stepUtils.saveForm(),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_cancel", {
    steps: () => [
        see("The order is unshipped", `${PANEL} .o_amazon_order_status:contains(Unshipped)`),
        clickHeader("Cancel Order"),
        see("All items are listed", ".modal .o_data_row:nth-child(2)"),
        ...chooseReason("No inventory"),
        clickFooter("Cancel the Order at Amazon"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeState("queued", "Nothing is sent to Amazon yet"),
        letTimePass(),
        seeState("submitted", "has not processed it yet"),
        letTimePass(),
        seeState("confirmed", "as cancelled"),
        see("The order is cancelled", `${PANEL} .o_amazon_order_status:contains(Cancelled)`),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_withdraw", {
    steps: () => [
        clickHeader("Refund"),
        ...chooseReason("Customer return"),
        clickFooter("Refund the Buyer"),
        seeState("queued", "Nothing is sent to Amazon yet"),
        {
            content: "Take it back",
            trigger: `${PANEL} .o_amazon_action_withdraw`,
            run: "click",
        },
        seeState("withdrawn", "Nothing was sent to Amazon"),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_countdown", {
    steps: () => [
        clickHeader("Refund"),
        ...chooseReason("Customer return"),
        clickFooter("Refund the Buyer"),
        seeState("queued", "s at the earliest"),
        {
            content: "Take it back",
            trigger: `${PANEL} .o_amazon_action_withdraw:contains(Take Back)`,
            run: "click",
        },
        seeState("withdrawn", "Nothing was sent to Amazon"),
        see("Nothing counts any more", `${PANEL}:not(:has(.o_amazon_action_expectation))`),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_expectation", {
    steps: () => [
        clickHeader("Refund"),
        ...chooseReason("Customer return"),
        clickFooter("Refund the Buyer"),
        seeState("queued", "Waiting to leave"),
        see("It still can be taken back", `${PANEL} .o_amazon_action_withdraw`),
        letTimePass(),
        seeState("submitted", "Answer expected about"),
        see("Nothing is slow", `${PANEL}:not(:has(.o_amazon_action_slow))`),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_drop", {
    steps: () => [
        seeState("submitted", "has not processed it yet"),
        {
            content: "Have Amazon drop it",
            trigger: `${PANEL} .o_amazon_action_drop:contains(Ask Amazon to drop it)`,
            run: "click",
        },
        see("It is said what that means", ".modal-body:contains(nothing is executed)"),
        clickFooter("Ask Amazon to Drop It"),
        see("The question is closed", "body:not(:has(.modal))"),
        seeState("submitted", "is not known yet"),
        see("It is asked only once", `${PANEL}:not(:has(.o_amazon_action_drop))`),
        letTimePass(),
        seeState("withdrawn", "Nothing was executed"),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_without_websocket", {
    steps: () => [
        clickHeader("Refund"),
        ...chooseReason("Customer return"),
        clickFooter("Refund the Buyer"),
        seeState("queued", "Nothing is sent to Amazon yet"),
        {
            content: "Lose the websocket",
            trigger: PANEL,
            run() {
                const { bus_service } = odoo.__WOWL_DEBUG__.root.env.services;
                bus_service.stop();
                bus_service.workerState = "DISCONNECTED";
            },
        },
        letTimePass(),
        {
            ...seeState("submitted", "has not processed it yet"),
            // the panel looks for news every 15 seconds
            timeout: 40000,
        },
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_number_typed", {
    steps: () => [
        see("There is no order", `${PANEL}:contains(No Amazon order yet)`),
        see("Nor a button", ".o_form_statusbar:not(:has(button:contains(Refund)))"),
        {
            content: "Type the number",
            trigger: ".o_field_widget[name='amazon_order_ref'] input",
            run: "edit 302-4481516-2342108",
        },
        {
            content: "Leave the field",
            trigger: ".o_field_widget[name='partner_name'] input",
            run: "click",
        },
        see("It is not looked up yet", `${PANEL}:contains(Save to read the order)`),
        ...stepUtils.saveForm(),
        see("The order arrives", `${PANEL} .o_amazon_order_status:contains(Shipped)`),
        see("And the button", ".o_statusbar_buttons button:contains(Refund)"),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_refund_assisted", {
    steps: () => [
        clickHeader("Refund"),
        see("It is said why", ".modal .alert:contains(offers no API operation)"),
        see("The way there", ".modal a[target='_blank']:contains(Open in Seller Central)"),
        see("No way to send it", ".modal-footer:not(:has(button:contains(Refund the Buyer)))"),
        ...chooseReason("Customer return"),
        {
            content: "Say what was done",
            trigger: ".modal .o_field_widget[name='note'] textarea",
            run: "edit Refunded in full, today at 10",
        },
        clickFooter("Record as Refunded in Seller Central"),
        seeState("assisted", "as done in Seller Central"),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_refund_blocked", {
    steps: () => [
        clickHeader("Refund"),
        see("It is said why", ".modal .alert-danger:contains(Cancel it instead)"),
        see(
            "There is nothing to click but Close",
            ".modal-footer:has(button:contains(Close)):not(:has(button[name='action_refund']))"
        ),
        clickFooter("Close"),
        see("Nothing was asked", `${PANEL}:not(:has(.o_amazon_action))`),
    ],
});

registry.category("web_tour.tours").add("amazon_ticket_without_right", {
    steps: () => [
        see("The order is shown", `${PANEL}:contains(302-4481516-2342108)`),
        see("No button to refund", ".o_form_statusbar:not(:has(button:contains(Refund)))"),
        see("No button to cancel", ".o_form_statusbar:not(:has(button:contains(Cancel Order)))"),
        {
            content: "Look into the action menu",
            trigger: ".o_cp_action_menus button",
            run: "click",
        },
        see(
            "Nothing of Amazon in it",
            ".o-dropdown--menu:contains(Delete):not(:contains(Amazon)), .o-dropdown--menu:contains(Duplicate):not(:contains(Amazon))"
        ),
    ],
});

registry.category("web_tour.tours").add("amazon_sale_order_refund", {
    steps: () => [
        {
            content: "Look at the Amazon order",
            trigger: ".o_notebook .nav-link:contains(Amazon)",
            run: "click",
        },
        see("It is shown", `${PANEL} .o_amazon_order_status:contains(Shipped)`),
        clickHeader("Refund at Amazon"),
        {
            content: "Refund an amount",
            trigger: ".modal .o_field_widget[name='mode'] label:contains(/^Amount$/)",
            run: "click",
        },
        {
            content: "Of the item",
            trigger: ".modal .o_data_row .o_data_cell[name='amount']",
            run: "click",
        },
        {
            content: "Enter the amount",
            trigger: ".modal .o_data_row .o_field_widget[name='amount'] input",
            run: "edit 10.00",
        },
        ...chooseReason("General adjustment"),
        see("What the buyer gets", ".modal .o_field_widget[name='total']:contains(10.00)"),
        see("What is left", ".modal .o_field_widget[name='remaining']:contains(34.94)"),
        clickFooter("Refund the Buyer"),
        seeState("queued", "10.00"),
        letTimePass(),
        seeState("submitted", "10.00"),
        letTimePass(),
        seeState("accepted", "10.00"),
    ],
});
