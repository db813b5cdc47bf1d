import { registry } from "@web/core/registry";
import {
    PANEL,
    clickFooter,
    clickHeader,
    letTimePass,
    see,
    seeState,
} from "@amazon_helpdesk_actions/../tests/tours/amazon_tours";

const click = (content, trigger) => ({ content, trigger, run: "click" });

registry.category("web_tour.tours").add("amazon_cancel_some_items", {
    steps: () => [
        see("The buyer's request is a badge", `${PANEL} .o_amazon_order_cancel_badge`),
        clickHeader("Cancel Order"),
        see("And in the dialog", ".modal .o_amazon_cancel_requested:contains(Your Orders)"),
        click("Some items", ".modal .o_field_widget[name='scope'] input[data-value='items']"),
        see("All that is asked for", ".modal .o_data_cell[name='quantity']:contains(3)"),
        click("Click the units", ".modal .o_data_cell[name='quantity']"),
        {
            content: "Two of them",
            trigger: ".modal .o_data_cell[name='quantity'] input",
            run: "edit 2",
        },
        see(
            "The reason is there",
            ".modal .o_field_widget[name='items_reason'] input:value(Cancelled by the customer)"
        ),
        clickFooter("Cancel These Items at Amazon"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeState("queued", "asks to cancel 2 ×"),
        letTimePass(),
        seeState("submitted", "has not processed it yet"),
        letTimePass(),
        seeState("confirmed", "2 ×"),
        see("The order shows it", `${PANEL} .o_amazon_order_items th:contains(Cancelled)`),
    ],
});

registry.category("web_tour.tours").add("amazon_cancel_official_way", {
    steps: () => [
        clickHeader("Cancel Order"),
        see("The warning", ".modal .alert-warning:contains(cancellation rate)"),
        click("Tell the buyer", ".modal button:contains(Tell the buyer how to ask)"),
        see(
            "The reply that sends the buyer to Your Orders",
            ".modal .o_field_widget[name='text'] textarea:value(Stornierung beantragen)"
        ),
    ],
});
