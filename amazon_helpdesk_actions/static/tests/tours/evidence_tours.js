import { registry } from "@web/core/registry";

const see = (content, trigger) => ({ content, trigger });

const click = (content, trigger) => ({ content, trigger, run: "click" });

registry.category("web_tour.tours").add("amazon_ticket_evidence", {
    steps: () => [
        click("Open the dialog", ".o_statusbar_buttons button:contains(Evidence)"),
        see("What it is for", ".modal:contains(A-to-z or SAFE-T case)"),
        see("Nothing warns yet", ".modal:not(:contains(not written for others))"),
        click("Notes, too", ".modal .o_field_widget[name='with_notes'] input"),
        see("It warns of them", ".modal:contains(not written for others)"),
        click("Not the notes", ".modal .o_field_widget[name='with_notes'] input"),
        click("Open the languages", ".modal .o_field_widget[name='language'] input"),
        click("French", ".o_select_menu_item:contains(Français)"),
        click("Make it", ".modal-footer button:contains(Download PDF)"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        see("The note is there", ".o-mail-Message:contains(made the evidence pack)"),
        see("It names the PDF", ".o-mail-Message:contains(-fr.pdf)"),
        see("It has no file", "body:not(:has(.o-mail-AttachmentContainer))"),
        click("Look at what is kept", "button[name='action_amazon_files']"),
        see("The PDF is there", ".o_list_view .o_data_row:contains(-fr.pdf)"),
        see("So is the ZIP", ".o_list_view .o_data_row:contains(-fr.zip)"),
        see("It can be downloaded", ".o_list_view button[name='action_download']"),
    ],
});

registry.category("web_tour.tours").add("amazon_sale_order_evidence", {
    steps: () => [
        click("Open it", ".o_statusbar_buttons button:contains(Amazon Evidence)"),
        see("Where the rest is", ".modal:contains(make it from the ticket)"),
        click("Make it", ".modal-footer button:contains(Download ZIP)"),
        see("The dialog is closed", "body:not(:has(.modal))"),
        see("The note is there", ".o-mail-Message:contains(made the evidence pack)"),
    ],
});
