import { registry } from "@web/core/registry";
import {
    PANEL,
    chooseReason,
    clickFooter,
    clickHeader,
    letTimePass,
    see,
    seeState,
} from "@amazon_helpdesk_actions/../tests/tours/amazon_tours";

const click = (content, trigger) => ({ content, trigger, run: "click" });

/** From the sale order to its delivery and back, as somebody who looks after both. */
const openDelivery = () => [
    click("Open the delivery", "button[name='action_view_delivery']"),
    see("The delivery", ".o_breadcrumb .o_last_breadcrumb_item:contains(OUT)"),
];

const goBack = () => click("Back to the sale order", ".o_breadcrumb .o_back_button");

const openAmazon = () => click("Open the Amazon page", ".o_notebook .nav-link:contains(Amazon)");

registry.category("web_tour.tours").add("amazon_cancel_with_hold", {
    steps: () => [
        openAmazon(),
        see("The order is unshipped", `${PANEL} .o_amazon_order_status:contains(Unshipped)`),
        clickHeader("Cancel at Amazon"),
        see("The whole order is offered", ".modal .o_field_widget[name='scope'] input:checked"),
        see("It is said that the warehouse stops", ".modal:contains(The warehouse stops)"),
        ...chooseReason("No inventory"),
        clickFooter("Cancel the Order at Amazon"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeState("queued", "Nothing is sent to Amazon yet"),
        ...openDelivery(),
        see("It is on hold", ".o_amazon_hold:contains(do not ship)"),
        see("With a ribbon", ".ribbon:contains(On Hold)"),
        click("Ship it all the same", "button[name='button_validate']:visible"),
        see("It is refused, and said why", ".modal-body:contains(is on hold)"),
        clickFooter("Close"),
        goBack(),
        openAmazon(),
        letTimePass(),
        seeState("submitted", "has not processed it yet"),
        letTimePass(),
        seeState("confirmed", "as cancelled by the seller"),
        see("The sale order has followed", ".o-mail-Message:contains(Cancelled in Odoo, too)"),
    ],
});

registry.category("web_tour.tours").add("amazon_cancel_delivered", {
    steps: () => [
        openAmazon(),
        clickHeader("Cancel at Amazon"),
        see("It is said why not", ".modal .alert-danger:contains(have left already)"),
        see("No way to cancel", ".modal-footer:not(:has(button:contains(Cancel the Order)))"),
        clickFooter("Refund Instead"),
        see("What comes first", ".modal .alert-danger:contains(Confirm the shipment)"),
    ],
});
