import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { say } from "../words/messages";
import { Icon } from "./icon";

export interface DialogProps {
  title: string;
  wide?: boolean;
  close: () => void;
  children: ComponentChildren;
}

/** The browser's own modal dialog: it keeps the focus inside, closes on Escape and gives the focus back. */
export function Dialog({ title, wide = false, close, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "wide" : ""}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => event.target === element.current && close()}
    >
      <div class="dialog-body">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="round" aria-label={say("dialog.close")} onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export interface ConfirmProps {
  title: string;
  help: string;
  yes: string;
  no: string;
  run: () => Promise<unknown>;
  close: () => void;
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, help, yes, no, run, close }: ConfirmProps) {
  return (
    <Dialog title={title} close={close}>
      <p>{help}</p>
      <div class="row answers">
        <button type="button" class="action large plain" onClick={close}>
          <span>{no}</span>
        </button>
        <button
          type="button"
          class="action large danger"
          onClick={() => {
            close();
            void run();
          }}
        >
          <span>{yes}</span>
        </button>
      </div>
    </Dialog>
  );
}
