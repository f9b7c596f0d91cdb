// Which uploads in parts were begun, for going on after a reload. Names, sizes, times and upload ids; nothing secret.

export class Journal {
  constructor(datasetId) {
    this.name = `strongroom.upload.${datasetId}`;
  }

  // The upload that was begun for this very file, or nothing.
  find(item, pieceBytes) {
    const kept = this.read()[item.key];
    const isSame = kept && kept.size === item.size && kept.modified === item.file.lastModified && kept.piece === pieceBytes;
    return isSame ? kept.upload : "";
  }

  begun(item, pieceBytes, upload) {
    this.change((all) => {
      all[item.key] = { size: item.size, modified: item.file.lastModified, piece: pieceBytes, upload };
    });
  }

  ended(key) {
    this.change((all) => { delete all[key]; });
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.name)) || {};
    } catch {
      return {}; // a browser that keeps nothing begins anew
    }
  }

  change(how) {
    const all = this.read();
    how(all);
    try {
      if (Object.keys(all).length) localStorage.setItem(this.name, JSON.stringify(all));
      else localStorage.removeItem(this.name);
    } catch { /* kept nowhere, then: only a reload would have used it */ }
  }
}
