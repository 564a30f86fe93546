/** The 3D viewer: a large piece of the page of its own, fetched when the first model is looked at. */
import { ModelViewerElement } from "@google/model-viewer";

/**
 * Our models are not compressed, so no decoder is ever fetched; should a foreign one be, it is looked for beside the
 * page and not on the internet.
 */
const NOWHERE = new URL("decoders/", document.baseURI).href;
ModelViewerElement.dracoDecoderLocation = NOWHERE;
ModelViewerElement.ktx2TranscoderLocation = NOWHERE;
ModelViewerElement.lottieLoaderLocation = NOWHERE;

export type Viewer = ModelViewerElement;
